//! The handler is a method.

use event_core::prelude::*;

struct Archive;

impl Archive {
    #[hook("message/bare")]
    fn look(&self, _: &Message) {}
}

fn main() {}
