//! Presence (RFC 6121 §3 and §4): who is there, who may know, and who asks to.

mod broadcast;
mod directed;
mod probe;
mod subscription;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use event_core::{
    jid::{BareJid, Jid},
    prelude::*,
    roster::{Roster, SubscriptionType},
    services::Rosters,
};

use self::directed::Directed;

/// Tells a user's clients and contacts of each other, delivers directed presence, and negotiates
/// subscriptions.
#[module(name = "presence", state = Directed)]
#[derive(Debug)]
pub struct PresenceDelivery;

/// The type of a presence (RFC 6121 §4.7.1).
#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    Available,
    Unavailable,
    Error,
    Probe,
    Subscription(SubscriptionType),
}

impl Kind {
    /// Whether it is for clients; the rest is for the server.
    fn is_delivered(self) -> bool {
        matches!(self, Self::Available | Self::Unavailable | Self::Error)
    }
}

fn kind(presence: &Presence) -> Result<Kind, StanzaError> {
    Ok(match presence.type_().as_deref() {
        None => Kind::Available,
        Some("unavailable") => Kind::Unavailable,
        Some("error") => Kind::Error,
        Some("probe") => Kind::Probe,
        Some(other) => match SubscriptionType::parse(other) {
            Some(kind) => Kind::Subscription(kind),
            None => return Err(StanzaError::bad_request().text("no such type of presence")),
        },
    })
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
        None => broadcast::own(presence, cx).await,
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
    broadcast::leave(&unbind.session, &unavailable.build(), cx).await;
}

#[hook("roster-item-removed", priority = -1)]
fn cancel(removed: &RosterItemRemoved, cx: &Context<PresenceDelivery>) {
    subscription::cancel(&removed.username, &removed.item, cx);
}

/// The contacts of an account, none where there are no rosters.
async fn roster(username: &str, host: &Host) -> Result<Arc<Roster>, StanzaError> {
    match host.service::<dyn Rosters>() {
        Some(rosters) => Ok(rosters.roster(username).await?),
        None => Ok(Arc::default()),
    }
}

/// A presence of an account or the host, with nothing in it.
fn typed(from: &BareJid, to: &str, kind: Option<&str>) -> Element {
    ElementBuilder::new("presence", STANZA_NS)
        .attribute("from", from.as_str())
        .attribute("to", to)
        .optional_attribute("type", kind)
        .build()
}

/// Sends somebody the presence of a user's available clients; says how many there are.
fn send_available(username: &str, to: &Jid, cx: &Context<PresenceDelivery>) -> usize {
    let sessions = cx.host().sessions().of(username);
    let available = sessions.iter().filter_map(Session::presence);
    available.map(|theirs| cx.send_to(&theirs.presence, [to.clone()])).count()
}

/// Tells somebody that a user's available clients are no longer so for them.
fn send_unavailable(username: &str, to: &BareJid, cx: &Context<PresenceDelivery>) {
    for session in cx.host().sessions().of(username) {
        if let (Some(jid), Some(_)) = (session.jid(), session.presence()) {
            let unavailable = ElementBuilder::new("presence", STANZA_NS)
                .attribute("from", jid.as_str())
                .attribute("to", to.as_str())
                .attribute("type", "unavailable");
            cx.send(unavailable.build());
        }
    }
}
