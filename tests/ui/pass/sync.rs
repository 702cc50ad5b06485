//! Sync handlers of every family.

use event_core::prelude::*;

/// Keeps.
#[module]
pub struct Archive;


#[hook("config-reloaded")]
fn reloaded(_: &ConfigReloaded) {}

#[hook("authentication-failure", priority = -5)]
fn failed(_: &AuthenticationFailure, _: &Context<Archive>) {}

#[hook("stream-features", priority = 50)]
fn features(_: &mut StreamFeatures, _: &Context<Archive>) {}

#[hook("pre-resource-unbind")]
fn keep(_: &mut PreResourceUnbind) {}

#[hook("pre-iq/host")]
fn check(_: &mut Iq) -> Flow {
    Flow::Continue
}

#[hook("iq/full", priority = 1)]
fn process(_: &mut Iq) -> Result<Flow, StanzaError> {
    Err(StanzaError::forbidden())
}

#[hook("iq/self", priority = -1)]
fn deliver(_: &mut Iq) -> Flow {
    Flow::Handled
}

#[hook("iq/host", priority = 0)]
fn observe(_: &Iq, _: &Context<Archive>) {}

#[hook("iq/host/jabber:iq:last:query", priority = -1000)]
fn answer(iq: &mut Iq) -> Reply {
    iq.reply()
}

#[hook("iq-error/self/probe-1")]
fn consume(_: &Iq, _: &Context<Archive>) -> Flow {
    Flow::Handled
}

#[hook("route/remote")]
fn route(_: &mut Stanza) -> Result<(), StanzaError> {
    Ok(())
}

#[hook("stanza/presence")]
fn unbound(_: &mut Presence) -> Flow {
    Flow::Handled
}

#[hook("stanza/urn:ietf:params:xml:ns:xmpp-tls:starttls")]
fn start_tls(_: &mut Nonza) -> Result<(), StreamError> {
    Ok(())
}

#[hook("component-disconnected")]
fn gone(_: &ComponentDisconnected) {}

fn main() {}
