//! Subscription stanzas to and from contacts (RFC 6121 §3).

use std::sync::Arc;

use event_core::{
    Module,
    jid::BareJid,
    prelude::*,
    roster::{Link, RosterItem, SubscriptionType},
    services::{Direction, Rosters},
};

use super::send::{send_available, send_unavailable, typed};
use crate::lookup;

fn rosters(cx: &Context<impl Module>) -> Result<Arc<dyn Rosters>, StanzaError> {
    cx.host().service::<dyn Rosters>().ok_or_else(|| {
        StanzaError::feature_not_implemented().text("there are no rosters on this host")
    })
}

/// The stanza with bare JIDs, which replace the addresses that the client wrote (§3.1.2).
fn between(presence: &Presence, from: &BareJid, to: &BareJid) -> Element {
    let mut stanza = presence.element().clone();
    stanza.set_attributes(&[("from", Some(from.as_str())), ("to", Some(to.as_str()))]);
    stanza
}

/// Handles a subscription stanza from a client to a contact.
pub(super) async fn send(
    presence: &Presence,
    kind: SubscriptionType,
    cx: &Context<impl Module>,
) -> Result<Flow, StanzaError> {
    let (Some(to), Some(from)) = (presence.to(), presence.from()) else {
        return Ok(Flow::Continue);
    };
    let (contact, account) = (to.to_bare(), from.to_bare());
    if contact == account {
        let text = "a subscription must be to another account";
        return Err(StanzaError::bad_request().text(text));
    }
    let username = account.node().map(|node| node.as_str()).unwrap_or_default();
    let stanza = between(presence, &account, &contact);
    let rosters = rosters(cx)?;
    let outbound = rosters.subscription(username, &contact, Direction::Outbound, kind, &stanza);
    let transition = outbound.await?;
    if !transition.passes {
        return Ok(Flow::Handled);
    }
    if kind == SubscriptionType::Unsubscribed && transition.before.from == Link::Active {
        // §3.2.2: the contact gets unavailable presence before it loses the subscription.
        send_unavailable(username, &contact, cx);
    }
    cx.send(stanza);
    if kind == SubscriptionType::Subscribed {
        send_available(username, &contact, cx);
        // If the contact has cancelled the subscription in the meantime, the probe corrects the
        // state.
        if transition.after.to == Link::Active {
            cx.send(typed(&account, contact.as_str(), Some("probe")));
        }
    }
    Ok(Flow::Handled)
}

/// Handles a subscription stanza from a contact to an account.
pub(super) async fn receive(
    presence: &Presence,
    kind: SubscriptionType,
    cx: &Context<impl Module>,
) -> Result<(), StanzaError> {
    let (Some(to), Some(from)) = (presence.to(), presence.from()) else { return Ok(()) };
    let (account, contact) = (to.to_bare(), from.to_bare());
    let Some(username) = account.node().map(|node| node.as_str()) else { return Ok(()) };
    if contact == account {
        return Ok(());
    }
    let answer = |kind| cx.send(typed(&account, contact.as_str(), Some(kind)));
    if kind == SubscriptionType::Subscribe && !lookup::exists(&account, cx.host()).await? {
        // §3.1.3: an account that refuses the request gives the same answer.
        answer("unsubscribed");
        return Ok(());
    }
    let stanza = between(presence, &contact, &account);
    let rosters = rosters(cx)?;
    let inbound = rosters.subscription(username, &contact, Direction::Inbound, kind, &stanza);
    let transition = inbound.await?;
    if let Some(reply) = transition.reply {
        answer(reply.as_str());
        if send_available(username, &contact, cx) == 0 {
            answer("unavailable");
        }
    } else if kind == SubscriptionType::Subscribe {
        // Acknowledges the request without revealing the user's presence (§3.1.3).
        answer("unavailable");
    }
    if kind == SubscriptionType::Unsubscribe && transition.before.from == Link::Active {
        send_unavailable(username, &contact, cx);
    }
    Ok(())
}

/// Cancels both subscriptions of a contact that was removed from a roster (§2.5.2).
pub(super) fn cancel(username: &str, item: &RosterItem, cx: &Context<impl Module>) {
    let Some(account) = cx.host().account(username) else { return };
    let state = item.state();
    if state.from == Link::Active {
        send_unavailable(username, &item.jid, cx);
    }
    if state.from != Link::None {
        cx.send(typed(&account, item.jid.as_str(), Some("unsubscribed")));
    }
    if state.to != Link::None {
        cx.send(typed(&account, item.jid.as_str(), Some("unsubscribe")));
    }
}
