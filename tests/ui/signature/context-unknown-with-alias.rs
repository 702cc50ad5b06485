//! The type in the context is not in scope, and the result has another name.

use event_core::prelude::*;

type Decision = Result<Flow, StanzaError>;

#[hook("message/bare", priority = 10)]
async fn look(_: &mut Message, cx: &Context<Archive>) -> Decision {
    Ok(Flow::Continue)
}

fn main() {}
