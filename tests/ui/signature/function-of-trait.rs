//! The handler is a function of a trait.

use event_core::prelude::*;

pub trait Archive {
    #[hook("message/bare")]
    fn look(_: &Message);
}

fn main() {}
