//! The handler takes the author's own `Message`, which borrows.

use event_core::prelude::*;

pub struct Message<'a>(pub &'a str);

#[hook("message/bare")]
fn look(message: &Message<'_>) {
    println!("{}", message.0);
}

fn main() {}
