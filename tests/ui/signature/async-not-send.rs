//! The future is not `Send`.

use event_core::prelude::*;

#[hook("message/bare")]
async fn look(_: &Message) {
    let once = std::rc::Rc::new(());
    std::future::ready(()).await;
    drop(once);
}

fn main() {}
