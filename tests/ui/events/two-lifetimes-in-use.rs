//! The event has two lifetimes and is hooked.

use event_core::prelude::*;

#[event("room-joined", kind = "notification")]
pub struct Joined<'a, 'b> {
    pub room: &'a str,
    pub who: &'b str,
}

#[hook(Joined)]
fn note(joined: &Joined<'_, '_>) {
    println!("{} {}", joined.room, joined.who);
}

fn main() {}
