//! The context of a module that stands elsewhere.

use event_core::prelude::*;

mod archive {
    #[event_core::module]
    pub struct Archive;
}

#[hook("message/bare")]
fn look(_: &Message, _: &Context<archive::Archive>) {}

fn main() {}
