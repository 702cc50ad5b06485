//! Who may see whom: subscription stanzas on their way (RFC 6121 §3).

use std::sync::Arc;

use event_core::{
    Module,
    jid::BareJid,
    prelude::*,
    roster::{Link, RosterItem, SubscriptionType},
    services::{Accounts, Direction, Rosters},
};

use super::stanzas::{send_available, send_unavailable, typed};

fn rosters(cx: &Context<impl Module>) -> Result<Arc<dyn Rosters>, StanzaError> {
    cx.host().service::<dyn Rosters>().ok_or_else(|| {
        StanzaError::feature_not_implemented().text("there are no rosters on this host")
    })
}

/// Whatever clients wrote, the parties are two accounts (§3.1.2).
fn between(presence: &Presence, from: &BareJid, to: &BareJid) -> Element {
    let mut stanza = presence.element().clone();
    stanza.set_attributes(&[("from", Some(from.as_str())), ("to", Some(to.as_str()))]);
    stanza
}

/// From a client to a contact.
pub(super) async fn outbound(
    presence: &Presence,
    kind: SubscriptionType,
    cx: &Context<impl Module>,
) -> Result<Flow, StanzaError> {
    let (Some(to), Some(from)) = (presence.to(), presence.from()) else {
        return Ok(Flow::Continue);
    };
    let (contact, account) = (to.to_bare(), from.to_bare());
    if contact == account {
        let text = "a subscription is to somebody else's presence";
        return Err(StanzaError::bad_request().text(text));
    }
    let username = account.node().map(|node| node.as_str()).unwrap_or_default();
    let stanza = between(presence, &account, &contact);
    let rosters = rosters(cx)?;
    let outbound = rosters.subscription(username, &contact, Direction::Outbound, kind, &stanza);
    let done = outbound.await?;
    if !done.passes {
        return Ok(Flow::Handled);
    }
    if kind == SubscriptionType::Unsubscribed && done.before.from == Link::Active {
        // §3.2.2: while the contact may still see it.
        send_unavailable(username, &contact, cx);
    }
    cx.send(stanza);
    if kind == SubscriptionType::Subscribed {
        send_available(username, &contact, cx);
        // The contact may have been forgotten since; what it says now is the truth.
        if done.after.to == Link::Active {
            cx.send(typed(&account, contact.as_str(), Some("probe")));
        }
    }
    Ok(Flow::Handled)
}

/// From a contact to an account.
pub(super) async fn inbound(
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
    if kind == SubscriptionType::Subscribe && !exists(&account, cx).await? {
        // §3.1.3: as if the account had refused.
        answer("unsubscribed");
        return Ok(());
    }
    let stanza = between(presence, &contact, &account);
    let rosters = rosters(cx)?;
    let inbound = rosters.subscription(username, &contact, Direction::Inbound, kind, &stanza);
    let done = inbound.await?;
    if let Some(reply) = done.reply {
        answer(reply.as_str());
        if send_available(username, &contact, cx) == 0 {
            answer("unavailable");
        }
    } else if kind == SubscriptionType::Subscribe {
        // The request has arrived, and says nothing of the user yet (§3.1.3).
        answer("unavailable");
    }
    if kind == SubscriptionType::Unsubscribe && done.before.from == Link::Active {
        send_unavailable(username, &contact, cx);
    }
    Ok(())
}

async fn exists(account: &BareJid, cx: &Context<impl Module>) -> Result<bool, StanzaError> {
    match cx.host().service::<dyn Accounts>() {
        Some(accounts) => Ok(accounts.exists(account).await?),
        None => Ok(false),
    }
}

/// A contact was removed from a roster: neither sees the other any more (§2.5.2).
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
