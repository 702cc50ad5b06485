//! The handler returns the author's own `Result`.

use event_core::prelude::*;

pub struct Result<T, E>(pub T, pub Option<E>);

#[hook("message/bare", priority = 10)]
fn change(_: &mut Message) -> Result<Flow, StanzaError> {
    Result(Flow::Continue, None)
}

fn main() {}
