//! The handler of a notification uses `?`.

use event_core::prelude::*;

/// Keeps.
#[module]
pub struct Archive;

#[hook("message/bare")]
async fn look(_: &Message, cx: &Context<Archive>) {
    let _ = cx.transact(Vec::new()).await?;
}

fn main() {}
