//! A crate that forbids what authors usually allow.

#![forbid(
    dead_code,
    deprecated,
    missing_debug_implementations,
    missing_docs,
    trivial_bounds,
    unsafe_code,
    unused
)]

use event_core::prelude::*;

/// Keeps.
#[module]
#[derive(Debug)]
pub struct Archive {
    /// For how many days.
    #[option(default = 5)]
    days: u32,
}

/// Kept.
#[event("kept", kind = "collect")]
#[derive(Debug)]
pub struct Kept<'a>(pub &'a str);

#[hook("message/bare")]
fn look(_: &Message, cx: &Context<Archive>) {
    let _ = cx.days;
}

#[hook("iq-get/host/urn:xmpp:ping:ping")]
fn answer(iq: &mut Iq) -> Result<Reply, StanzaError> {
    Ok(iq.reply())
}

#[hook(Kept)]
async fn kept(kept: &mut Kept<'_>) {
    let _ = kept.0;
}

fn main() {}
