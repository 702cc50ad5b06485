//! Presence (RFC 6121 §3, §4): broadcast, directed presence, probes and subscriptions.

mod broadcast;
mod directed;
mod presence_type;
mod probe;
mod send;
mod subscription;
#[cfg(test)]
mod tests;

use event_core::{NowOrLater, jid::Jid, prelude::*, roster::SubscriptionType};

use self::{directed::Directed, presence_type::PresenceType, send::typed};
use crate::stanzas;

/// Sends the presence of a user's clients to each other and to contacts, delivers directed
/// presence, and negotiates subscriptions.
#[module(
    name = "presence",
    state = Directed,
    fires = [events::PresenceInitial, events::MessageOfflineBroadcast]
)]
#[derive(Debug)]
pub struct PresenceDelivery {
    /// The maximum size of a presence, in bytes; a larger one is refused.
    #[option(default = 8192)]
    max_bytes: usize,
}

impl PresenceDelivery {
    /// Refuses a presence that is too large: each contact of the sender gets it, and the server
    /// keeps it while the sender is available.
    fn check(&self, presence: &Presence) -> Result<(), StanzaError> {
        if presence.element().as_bytes().len() <= self.max_bytes {
            return Ok(());
        }
        let text = format!("a presence may have at most {} bytes", self.max_bytes);
        Err(StanzaError::policy_violation().text(text))
    }
}

impl ModuleState<PresenceDelivery> for Directed {
    async fn start(_: &HostContext, _: &PresenceDelivery) -> Result<Self, StartError> {
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
    cx.check(presence)?;
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
) -> NowOrLater<Presence, Result<Flow, StanzaError>> {
    if let Err(error) = cx.check(presence) {
        return NowOrLater::Now(Err(error));
    }
    let Some(to) = presence.to() else {
        let cx = cx.clone();
        return NowOrLater::later(|presence| {
            Box::pin(async move { broadcast::handle_own(presence, cx.state(), &cx).await })
        });
    };
    match PresenceType::of(presence) {
        Ok(kind) if kind.is_delivered() => {
            let username = to.node().map(|node| node.as_str()).unwrap_or_default();
            cx.host().sessions().each(username, |session| {
                if session.is_available() {
                    session.send(presence.element());
                }
            });
            NowOrLater::Now(Ok(Flow::Handled))
        }
        kind => answer(kind, cx),
    }
}

#[hook("presence/full", priority = -1)]
fn deliver_to_client(
    presence: &mut Presence,
    cx: &Context<PresenceDelivery>,
) -> NowOrLater<Presence, Result<Flow, StanzaError>> {
    if let Err(error) = cx.check(presence) {
        return NowOrLater::Now(Err(error));
    }
    match PresenceType::of(presence) {
        Ok(kind) if kind.is_delivered() => {
            if let Some(Ok(to)) = presence.to().map(Jid::try_as_full)
                && let Some(session) = cx.host().sessions().find(to)
            {
                session.send(presence.element());
            }
            NowOrLater::Now(Ok(Flow::Handled))
        }
        // A subscription stanza to a full JID is for the account.
        kind => answer(kind, cx),
    }
}

/// Answers a probe or a subscription stanza for the account.
fn answer(
    kind: Result<PresenceType, StanzaError>,
    cx: &Context<PresenceDelivery>,
) -> NowOrLater<Presence, Result<Flow, StanzaError>> {
    let cx = cx.clone();
    match kind {
        Ok(PresenceType::Probe) => NowOrLater::later(|presence| {
            Box::pin(async move {
                probe::answer(presence, &cx).await?;
                Ok(Flow::Handled)
            })
        }),
        Ok(PresenceType::Subscription(kind)) => NowOrLater::later(move |presence| {
            Box::pin(async move {
                subscription::receive(presence, kind, &cx).await?;
                Ok(Flow::Handled)
            })
        }),
        Ok(PresenceType::Available | PresenceType::Unavailable | PresenceType::Error) => {
            NowOrLater::Now(Ok(Flow::Handled))
        }
        Err(error) => NowOrLater::Now(Err(error)),
    }
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
