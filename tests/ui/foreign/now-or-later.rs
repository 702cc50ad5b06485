//! The handler returns the author's own `NowOrLater`.

use event_core::prelude::*;

pub enum NowOrLater<P, R> {
    Now(R),
    Later(Box<P>),
}

#[hook("message/bare", priority = 10)]
fn change(_: &mut Message) -> NowOrLater<Message, Flow> {
    NowOrLater::Now(Flow::Continue)
}

fn main() {}
