//! Named lifetimes.

use event_core::prelude::*;

/// Keeps.
#[module]
pub struct Archive;


#[hook("message/bare")]
fn look<'a>(_: &'a Message, _: &'a Context<Archive>) {}

#[hook("message/bare", priority = 1)]
fn change<'a, 'b>(_: &'a mut Message, _: &'b Context<Archive>) {}

#[hook("message/bare", priority = 2)]
async fn change_later<'a>(_: &'a mut Message, _: &'a Context<Archive>) {}

#[hook("message/bare", priority = 3)]
fn bounded<'a: 'b, 'b>(_: &'a mut Message, _: &'b Context<Archive>) -> Flow {
    Flow::Continue
}

/// Somebody joined.
#[event("room-joined", kind = "notification")]
pub struct Joined<'who> {
    /// Who.
    pub who: &'who str,
}

#[hook(Joined)]
fn note<'e, 'p>(joined: &'e Joined<'p>) {
    let _: &'p str = joined.who;
}

fn main() {}
