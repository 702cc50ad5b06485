//! Presence (RFC 6121 §3 and §4): who is there, who may know, and who asks to.

mod broadcast;
mod directed;
mod presence_type;
mod probe;
mod stanzas;
mod subscription;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use event_core::{jid::Jid, prelude::*, roster::SubscriptionType};

use self::{
    directed::Directed,
    presence_type::{Kind, kind},
    stanzas::typed,
};

/// Tells a user's clients and contacts of each other, delivers directed presence, and negotiates
/// subscriptions.
#[module(name = "presence", state = Directed)]
#[derive(Debug)]
pub struct PresenceDelivery;

impl ModuleState<PresenceDelivery> for Directed {
    async fn start(_: &Arc<Host>, _: &PresenceDelivery) -> Result<Self, StartError> {
        Ok(Self::default())
    }
}

#[hook("pre-presence/full", priority = -1000)]
async fn send_to_client(
    presence: &mut Presence,
    cx: &Context<PresenceDelivery>,
) -> Result<Flow, StanzaError> {
    outgoing(presence, cx).await
}

#[hook("pre-presence/bare", priority = -1000)]
async fn send_to_account(
    presence: &mut Presence,
    cx: &Context<PresenceDelivery>,
) -> Result<Flow, StanzaError> {
    outgoing(presence, cx).await
}

#[hook("pre-presence/host", priority = -1000)]
async fn send_to_host(
    presence: &mut Presence,
    cx: &Context<PresenceDelivery>,
) -> Result<Flow, StanzaError> {
    outgoing(presence, cx).await
}

/// A client sends presence to somebody.
async fn outgoing(
    presence: &Presence,
    cx: &Context<PresenceDelivery>,
) -> Result<Flow, StanzaError> {
    let (Some(to), Some(session)) = (presence.to(), presence.origin().session()) else {
        return Ok(Flow::Continue);
    };
    match kind(presence)? {
        Kind::Available => cx.state().note(session, to)?,
        Kind::Unavailable => cx.state().strike(session, to),
        Kind::Error | Kind::Probe => {}
        Kind::Subscription(kind) => return subscription::outbound(presence, kind, cx).await,
    }
    Ok(Flow::Continue)
}

#[hook("presence/bare", priority = -1)]
fn deliver_to_account(
    presence: &mut Presence,
    cx: &Context<PresenceDelivery>,
) -> Result<Flow, StanzaError> {
    let Some(to) = presence.to() else { return Ok(Flow::Continue) };
    if !kind(presence)?.is_delivered() {
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
    if !kind(presence)?.is_delivered() {
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
        None => broadcast::own(presence, cx.state(), cx).await,
        Some(_) => answer(presence, cx).await,
    }
}

// A subscription is the account's, whatever address the other side took.
#[hook("presence/full", priority = -1)]
async fn answer(
    presence: &mut Presence,
    cx: &Context<PresenceDelivery>,
) -> Result<Flow, StanzaError> {
    match kind(presence)? {
        Kind::Available | Kind::Unavailable | Kind::Error => {}
        Kind::Probe => probe::answer(presence, cx).await?,
        Kind::Subscription(kind) => subscription::inbound(presence, kind, cx).await?,
    }
    Ok(Flow::Handled)
}

/// The host is always there, and whoever likes may know.
#[hook("presence/host", priority = -1)]
fn answer_for_host(
    presence: &mut Presence,
    cx: &Context<PresenceDelivery>,
) -> Result<Flow, StanzaError> {
    let (Some(to), Some(from)) = (presence.to(), presence.from()) else {
        return Ok(Flow::Handled);
    };
    let (host, from) = (to.to_bare(), from.to_bare());
    match kind(presence)? {
        Kind::Subscription(SubscriptionType::Subscribe) => {
            cx.send(typed(&host, from.as_str(), Some("subscribed")));
            cx.send(typed(&host, from.as_str(), None));
        }
        Kind::Probe => cx.send(typed(&host, from.as_str(), None)),
        _ => {}
    }
    Ok(Flow::Handled)
}

#[hook("resource-unbind")]
async fn leave(unbind: &ResourceUnbind, cx: &Context<PresenceDelivery>) {
    let Some(jid) = unbind.session.jid() else { return };
    let unavailable = ElementBuilder::new("presence", STANZA_NS)
        .attribute("from", jid.as_str())
        .attribute("type", "unavailable");
    broadcast::leave(&unbind.session, &unavailable.build(), cx.state(), cx).await;
}

#[hook("roster-item-removed", priority = -1)]
fn cancel(removed: &RosterItemRemoved, cx: &Context<PresenceDelivery>) {
    subscription::cancel(&removed.username, &removed.item, cx);
}
