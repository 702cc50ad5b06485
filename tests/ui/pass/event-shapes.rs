//! Events in every shape.

use event_core::prelude::*;

/// Keeps.
#[module]
pub struct Archive;


/// With a lifetime.
#[event("room-joined", kind = "notification")]
#[derive(Debug)]
pub struct Joined<'a> {
    /// Who.
    pub who: &'a str,
}

/// Without.
#[event("room-pre-join", kind = "chain", scope = "host")]
pub struct PreJoin {
    /// Who.
    pub who: String,
}

/// An enum.
#[event("room/changed", kind = "collect", scope = "global")]
pub enum Changed {
    /// Opened.
    Opened,
    /// Closed.
    Closed(Vec<String>),
}

#[hook(Joined)]
fn joined(_: &Joined<'_>, _: &Context<Archive>) {}

#[hook(Joined, priority = 7)]
async fn joined_later(joined: &Joined<'_>) {
    let _ = joined.who;
}

#[hook(PreJoin)]
fn check(join: &mut PreJoin) -> Result<Flow, StanzaError> {
    if join.who.is_empty() { Err(StanzaError::not_acceptable()) } else { Ok(Flow::Continue) }
}

#[hook(crate::Changed)]
async fn changed(changed: &mut Changed, _: &Context<Archive>) {
    *changed = Changed::Opened;
}

#[hook("message/bare", priority = 1)]
async fn fire(_: &mut Message, cx: &Context<Archive>) -> Flow {
    cx.fire(PreJoin { who: String::new() }).await.flow
}

fn main() {}
