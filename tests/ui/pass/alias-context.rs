//! A context behind an alias.

use event_core::prelude::*;

/// Keeps.
#[module]
pub struct Archive;


type Cx = Context<Archive>;
type Borrowed<'a> = &'a Cx;

#[hook("message/bare")]
fn look(_: &Message, _: &Cx) {}

#[hook("message/bare")]
async fn look_later(_: &Message, cx: Borrowed<'_>) {
    let _ = cx.host();
}

#[hook("presence/bare")]
fn look_at_presence(_: &Presence, _: Borrowed<'_>) {}

fn main() {}
