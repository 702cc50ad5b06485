//! A crate that denies all style lints.

#![deny(
    warnings,
    missing_docs,
    missing_debug_implementations,
    unused,
    rust_2018_idioms,
    elided_lifetimes_in_paths,
    unreachable_pub,
    unused_qualifications,
    unused_lifetimes,
    single_use_lifetimes,
    let_underscore_drop,
    trivial_casts,
    unused_import_braces,
    unsafe_code
)]
#![allow(single_use_lifetimes, reason = "one handler names its lifetime on purpose")]

use event_core::prelude::*;

use event_core::events::IqGetHost;

/// Keeps messages.
#[module(name = "archive", features = ["urn:xmpp:mam:2"])]
#[derive(Debug)]
pub(crate) struct Archive {
    /// For how many days.
    #[serde(default)]
    days: u32,
}

/// Something was kept.
#[event("archive-kept", kind = "notification")]
#[derive(Debug)]
pub(crate) struct Kept<'a> {
    /// What.
    pub(crate) text: &'a str,
}

/// Looks.
#[hook("message/bare")]
fn look(message: &Message, cx: &Context<Archive>) {
    let _ = (message, cx.days);
}

/// Answers.
#[hook(IqGetHost, "urn:xmpp:ping:ping", priority = 1)]
async fn answer<'a>(iq: &'a mut Iq, _: &'a Context<Archive>) -> Result<Reply, StanzaError> {
    Ok(iq.reply())
}

/// Aliased on purpose.
type Chat = Message;

/// Changes.
#[hook("message/full", priority = 1)]
fn change(_: &mut Chat) {}

/// Notes.
#[hook(Kept)]
fn note(kept: &Kept<'_>) {
    let _ = kept.text;
}

fn main() {}
