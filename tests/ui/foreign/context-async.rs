//! The context of the async handler is the author's own type.

use event_core::{Message, hook, module};

/// Keeps.
#[module]
pub struct Archive;

pub struct Context<M>(pub M);

#[hook("message/bare")]
async fn look(_: &Message, _: &Context<Archive>) {}

fn main() {}
