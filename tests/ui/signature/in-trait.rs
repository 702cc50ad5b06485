//! The handler is a function of a trait, with a body.

use event_core::prelude::*;

pub trait Archive {
    #[hook("message/bare")]
    fn look(_: &Message) {}
}

fn main() {}
