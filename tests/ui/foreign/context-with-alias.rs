//! The context is the author's own type, and the payload has another name.

use event_core::{Message, hook, module};

/// Keeps.
#[module]
pub struct Archive;

pub struct Context<M>(pub M);
type Stanza = Message;

#[hook("message/bare")]
fn look(_: &Stanza, _: &Context<Archive>) {}

fn main() {}
