//! The type of the result does not exist.

use event_core::prelude::*;

#[hook("message/bare", priority = 10)]
fn look(_: &mut Message) -> Fow {
    todo!()
}

fn main() {}
