//! The handler is a function of a type.

use event_core::prelude::*;

pub struct Archive;

impl Archive {
    #[hook("message/bare")]
    pub async fn look(_: &Message) {}
}

fn main() {}
