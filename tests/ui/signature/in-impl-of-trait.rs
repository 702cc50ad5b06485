//! The handler is a function of a trait's implementation.

use event_core::prelude::*;

pub trait Look {
    fn look(message: &Message);
}

pub struct Archive;

impl Look for Archive {
    #[hook("message/bare")]
    fn look(_: &Message) {}
}

fn main() {}
