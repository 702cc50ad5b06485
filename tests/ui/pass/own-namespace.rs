//! Own namespaces, close to known ones or not.

use event_core::prelude::*;

/// Extends version.
#[module(features = ["jabber:iq:versions"], namespace = "own")]
pub struct Versions;

#[hook("iq-get/host/jabber:iq:versions:query", namespace = "own")]
fn answer(iq: &mut Iq) -> Reply {
    iq.reply()
}

#[hook(events::IqSetHost, "jabber:iq:versions:query", namespace = "own", priority = 5)]
fn set(iq: &mut Iq) -> Reply {
    iq.reply()
}

#[hook("iq-get/host/https://example.org/ns/weather#1:forecast")]
fn forecast(iq: &mut Iq) -> Reply {
    iq.reply()
}

fn main() {}
