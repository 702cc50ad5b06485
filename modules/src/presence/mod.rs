//! Presence (RFC 6121 §3, §4): broadcast, directed presence, probes and subscriptions.

mod broadcast;
mod directed;
mod presence_type;
mod probe;
mod send;
mod subscription;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use event_core::{jid::Jid, prelude::*, roster::SubscriptionType};

use self::{directed::Directed, presence_type::PresenceType, send::typed};
use crate::stanzas;

/// Sends the presence of a user's clients to each other and to contacts, delivers directed
/// presence, and negotiates subscriptions.
#[module(name = "presence", state = Directed)]
#[derive(Debug)]
pub struct PresenceDelivery;

impl ModuleState<PresenceDelivery> for Directed {
    async fn start(_: &Arc<Host>, _: &PresenceDelivery) -> Result<Self, StartError> {
        Ok(Self::default())
    }
}

/// Handles presence that a client sends to an address.
#[hook("pre-presence/full", priority = -1000)]
#[hook("pre-presence/bare", priority = -1000)]
#[hook("pre-presence/host", priority = -1000)]
async fn send_directed(
    presence: &mut Presence,
    cx: &Context<PresenceDelivery>,
) -> Result<Flow, StanzaError> {
    let (Some(to), Some(session)) = (presence.to(), presence.origin().session()) else {
        return Ok(Flow::Continue);
    };
    match PresenceType::of(presence)? {
        PresenceType::Available => cx.state().add(session, to)?,
        PresenceType::Unavailable => cx.state().remove(session, to),
        PresenceType::Error | PresenceType::Probe => {}
        PresenceType::Subscription(kind) => return subscription::send(presence, kind, cx).await,
    }
    Ok(Flow::Continue)
}

#[hook("presence/bare", priority = -1)]
fn deliver_to_account(
    presence: &mut Presence,
    cx: &Context<PresenceDelivery>,
) -> Result<Flow, StanzaError> {
    let Some(to) = presence.to() else { return Ok(Flow::Continue) };
    if !PresenceType::of(presence)?.is_delivered() {
        return Ok(Flow::Continue);
    }
    let username = to.node().map(|node| node.as_str()).unwrap_or_default();
    cx.host().sessions().each(username, |session| {
        if session.is_available() {
            session.send(presence.element());
        }
    });
    Ok(Flow::Handled)
}

#[hook("presence/full", priority = -1)]
fn deliver_to_client(
    presence: &mut Presence,
    cx: &Context<PresenceDelivery>,
) -> Result<Flow, StanzaError> {
    if !PresenceType::of(presence)?.is_delivered() {
        return Ok(Flow::Continue);
    }
    if let Some(Ok(to)) = presence.to().map(Jid::try_as_full)
        && let Some(session) = cx.host().sessions().find(to)
    {
        session.send(presence.element());
    }
    Ok(Flow::Handled)
}

#[hook("presence/bare", priority = -1)]
async fn answer_for_account(
    presence: &mut Presence,
    cx: &Context<PresenceDelivery>,
) -> Result<Flow, StanzaError> {
    match presence.to() {
        None => broadcast::handle_own(presence, cx.state(), cx).await,
        Some(_) => answer(presence, cx).await,
    }
}

// Subscriptions are between accounts, also when addressed to a full JID.
#[hook("presence/full", priority = -1)]
async fn answer(
    presence: &mut Presence,
    cx: &Context<PresenceDelivery>,
) -> Result<Flow, StanzaError> {
    match PresenceType::of(presence)? {
        PresenceType::Available | PresenceType::Unavailable | PresenceType::Error => {}
        PresenceType::Probe => probe::answer(presence, cx).await?,
        PresenceType::Subscription(kind) => subscription::receive(presence, kind, cx).await?,
    }
    Ok(Flow::Handled)
}

/// The host is always available, and approves every subscription.
#[hook("presence/host", priority = -1)]
fn answer_for_host(
    presence: &mut Presence,
    cx: &Context<PresenceDelivery>,
) -> Result<Flow, StanzaError> {
    let (Some(to), Some(from)) = (presence.to(), presence.from()) else {
        return Ok(Flow::Handled);
    };
    let (host, from) = (to.to_bare(), from.to_bare());
    match PresenceType::of(presence)? {
        PresenceType::Subscription(SubscriptionType::Subscribe) => {
            cx.send(typed(&host, from.as_str(), Some("subscribed")));
            cx.send(typed(&host, from.as_str(), None));
        }
        PresenceType::Probe => cx.send(typed(&host, from.as_str(), None)),
        _ => {}
    }
    Ok(Flow::Handled)
}

#[hook("resource-unbind")]
async fn leave(unbind: &ResourceUnbind, cx: &Context<PresenceDelivery>) {
    let Some(jid) = unbind.session.jid() else { return };
    let unavailable = stanzas::unavailable(jid.as_str(), None);
    broadcast::leave(&unbind.session, &unavailable, cx.state(), cx).await;
}

#[hook("roster-item-removed", priority = -1)]
fn cancel(removed: &RosterItemRemoved, cx: &Context<PresenceDelivery>) {
    subscription::cancel(&removed.username, &removed.item, cx);
}
