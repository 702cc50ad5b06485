//! Blocking Command (XEP-0191).

mod lists;
#[cfg(test)]
mod tests;

use std::{
    collections::{BTreeSet, HashSet},
    sync::Arc,
};

use event_core::{
    ErrorType, Origin,
    jid::Jid,
    prelude::*,
    roster::{Roster, RosterItem},
};

pub use self::lists::{Blocklist, Blocklists};
use crate::{lookup, message::MessageType, stanzas};

const NS: &str = "urn:xmpp:blocking";

/// Lets users block addresses: no stanzas pass between a user and a blocked address.
#[module(features = ["urn:xmpp:blocking"], state = Arc<Blocklists>, after = ["presence"])]
pub struct Blocking {
    /// The maximum number of addresses that a user may block; more are refused.
    #[option(default = 1000)]
    max_items: usize,
    /// The maximum size of a user's list, in bytes; more is refused.
    #[option(default = 131_072)]
    max_bytes: usize,
}

impl ModuleState<Blocking> for Arc<Blocklists> {
    async fn start(host: &HostContext, _: &Blocking) -> Result<Self, StartError> {
        let store = host.store(&lists::SCHEMA).await?;
        let lists = Blocklists::read(host.name(), store).await;
        let lists = Self::new(lists.map_err(|error| StartError::Other(error.to_string()))?);
        host.provide(Self::clone(&lists));
        Ok(lists)
    }
}

/// The mark in the slot of a session that requested the list, and so gets pushes of changes.
struct Follows;

#[hook("account-disco-info")]
fn advertise(event: &mut AccountDiscoInfo) {
    event.info.features.insert(NS.into());
}

#[hook("iq-get/self/urn:xmpp:blocking:blocklist", priority = 10)]
fn show(iq: &mut Iq, cx: &Context<Blocking>) -> Result<Reply, StanzaError> {
    let (session, username) =
        lookup::local_sender(iq).ok_or_else(StanzaError::service_unavailable)?;
    // The slot is set before the list is read, so that the client misses no change.
    session.with_slot(|slot| *slot = Some(Follows));
    let list = cx.state().of(&username);
    let items: Vec<_> = list.iter().map(item).collect();
    Ok(iq.reply_with_element(&ElementBuilder::new("blocklist", NS).children(&items).build()))
}

fn item(jid: &str) -> Element {
    ElementBuilder::new("item", NS).attribute("jid", jid).build()
}

#[hook("iq-set/self/urn:xmpp:blocking:block", priority = 10)]
async fn block(iq: &mut Iq, cx: &Context<Blocking>) -> Result<Flow, StanzaError> {
    let (_, username) = lookup::local_sender(iq).ok_or_else(StanzaError::service_unavailable)?;
    let items = items(iq)?;
    if items.is_empty() {
        return Err(StanzaError::bad_request().text("an item to block is missing"));
    }
    let roster = lookup::roster(&username, cx.host()).await?;
    let (old, new) = {
        let lock = cx.state().lock(&username).await;
        let old = cx.state().of(&username);
        let mut new = Blocklist::clone(&old);
        items.iter().for_each(|jid| new.insert(jid));
        if new.len() > cx.max_items {
            let text = format!("no more than {} addresses can be blocked", cx.max_items);
            return Err(StanzaError::policy_violation().text(text));
        }
        if new.bytes() > cx.max_bytes && new.bytes() > old.bytes() {
            let text = format!("the list may have at most {} bytes", cx.max_bytes);
            return Err(StanzaError::policy_violation().text(text));
        }
        cx.state().set(&username, new.clone(), &lock).await?;
        (old, new)
    };
    cx.answer_later(iq).reply();
    push("block", &items, &username, cx);
    // Newly blocked contacts see the user as unavailable (XEP-0191 §3.3).
    let watchers = watchers(&items, &roster).into_iter();
    for to in watchers.filter(|to| !old.blocks(to) && new.blocks(to)) {
        for session in cx.host().sessions().of(&username) {
            let (Some(_), Some(from)) = (session.presence(), session.jid()) else { continue };
            cx.state().allow_unavailable(from.as_str(), to.as_str());
            cx.send(stanzas::unavailable(from.as_str(), Some(to.as_str())));
        }
    }
    Ok(Flow::Handled)
}

#[hook("iq-set/self/urn:xmpp:blocking:unblock", priority = 10)]
async fn unblock(iq: &mut Iq, cx: &Context<Blocking>) -> Result<Flow, StanzaError> {
    let (_, username) = lookup::local_sender(iq).ok_or_else(StanzaError::service_unavailable)?;
    let items = items(iq)?;
    let roster = lookup::roster(&username, cx.host()).await?;
    let (old, new) = {
        let lock = cx.state().lock(&username).await;
        let old = cx.state().of(&username);
        let mut new = Blocklist::default();
        if !items.is_empty() {
            new = Blocklist::clone(&old);
            items.iter().for_each(|jid| new.remove(jid));
        }
        cx.state().set(&username, new.clone(), &lock).await?;
        (old, new)
    };
    cx.answer_later(iq).reply();
    push("unblock", &items, &username, cx);
    let all: Vec<_> = old.iter().filter_map(|jid| Jid::new(jid).ok()).collect();
    let unblocked = if items.is_empty() { &all } else { &items };
    let watchers = watchers(unblocked, &roster).into_iter();
    for to in watchers.filter(|to| old.blocks(to) && !new.blocks(to)) {
        for session in cx.host().sessions().of(&username) {
            let Some(available) = session.presence() else { continue };
            cx.send_to(&available.presence, [to.clone()]);
        }
    }
    Ok(Flow::Handled)
}

/// The addresses in a request, each once.
fn items(iq: &Iq) -> Result<Vec<Jid>, StanzaError> {
    let action = iq.element().first_child().ok_or_else(StanzaError::bad_request)?;
    let items = action.children().map(|item| {
        let jid = item.attribute("jid").filter(|_| item.is("item", NS));
        let jid = jid.ok_or_else(|| {
            StanzaError::bad_request().text("the children must be <item jid='…'/>")
        })?;
        Jid::new(&jid).map_err(|_| StanzaError::jid_malformed())
    });
    let mut items = items.collect::<Result<Vec<_>, _>>()?;
    let mut seen = HashSet::new();
    items.retain(|jid| seen.insert(jid.clone()));
    Ok(items)
}

/// Pushes a change to the user's clients that requested the list.
fn push(action: &str, items: &[Jid], username: &str, cx: &Context<Blocking>) {
    let items: Vec<_> = items.iter().map(|jid| item(jid.as_str())).collect();
    let action = ElementBuilder::new(action, NS).children(&items).build();
    for session in cx.host().sessions().of(username) {
        if session.with_slot(|slot: &mut Option<Follows>| slot.is_some()) {
            stanzas::push(&session, &action);
        }
    }
}

/// The addresses in `jids`, and the contacts at domains in `jids`, that may see the user's
/// presence, each once.
fn watchers(jids: &[Jid], roster: &Roster) -> BTreeSet<Jid> {
    let is_domain = |jid: &&Jid| jid.node().is_none() && jid.resource().is_none();
    let domains: HashSet<_> =
        jids.iter().filter(is_domain).map(|jid| jid.domain().as_str()).collect();
    let watches = |contact: &&RosterItem| {
        contact.subscription.is_from() && domains.contains(contact.jid.domain().as_str())
    };
    let contacts = roster.items().filter(watches).map(|contact| contact.jid.clone().into());
    let named = jids.iter().filter(|jid| roster.may_see(&jid.to_bare())).cloned();
    named.chain(contacts).collect()
}

#[hook("pre-message/bare", priority = 100)]
#[hook("pre-message/full", priority = 100)]
#[hook("pre-message/host", priority = 100)]
fn send_message(message: &mut Message, cx: &Context<Blocking>) -> Result<(), StanzaError> {
    check_outgoing(message, cx)
}

#[hook("pre-presence/bare", priority = 100)]
#[hook("pre-presence/full", priority = 100)]
#[hook("pre-presence/host", priority = 100)]
fn send_presence(presence: &mut Presence, cx: &Context<Blocking>) -> Result<(), StanzaError> {
    check_outgoing(presence, cx)
}

#[hook("pre-iq/bare", priority = 100)]
#[hook("pre-iq/full", priority = 100)]
#[hook("pre-iq/host", priority = 100)]
fn send_iq(iq: &mut Iq, cx: &Context<Blocking>) -> Result<(), StanzaError> {
    check_outgoing(iq, cx)
}

/// Refuses stanzas to an address that the sender has blocked.
fn check_outgoing(stanza: &Stanza, cx: &Context<Blocking>) -> Result<(), StanzaError> {
    let (Some(from), Some(to)) = (stanza.from(), stanza.to()) else { return Ok(()) };
    if !cx.state().blocks(from, to) {
        return Ok(());
    }
    let blocked = ElementBuilder::new("blocked", "urn:xmpp:blocking:errors").build();
    let error = StanzaError::not_acceptable().with_type(ErrorType::Cancel);
    Err(error.text("you have blocked this address").with_application(blocked))
}

#[hook("message/bare", priority = 1000)]
#[hook("message/full", priority = 1000)]
fn take_message(message: &mut Message, cx: &Context<Blocking>) -> Result<Flow, StanzaError> {
    let mut is_blocked = is_incoming_blocked(message, cx);
    // The inviter counts as the sender of a room's invitation (XEP-0045 §7.8.2).
    if !is_blocked
        && let Some(to) = message.to()
        && let Some(inviter) = message
            .child("x", "http://jabber.org/protocol/muc#user")
            .and_then(|x| x.child("invite", "http://jabber.org/protocol/muc#user"))
            .and_then(|invite| Jid::new(&invite.attribute("from")?).ok())
    {
        is_blocked = cx.state().blocks(to, &inviter);
    }
    match MessageType::of(message) {
        _ if !is_blocked => Ok(Flow::Continue),
        MessageType::Normal | MessageType::Chat => Err(StanzaError::service_unavailable()),
        // The message is dropped, because a room would remove the user after an error.
        _ => Ok(Flow::Handled),
    }
}

#[hook("iq/bare", priority = 1000)]
#[hook("iq/full", priority = 1000)]
fn take_iq(iq: &mut Iq, cx: &Context<Blocking>) -> Result<(), StanzaError> {
    match is_incoming_blocked(iq, cx) {
        true => Err(StanzaError::service_unavailable()),
        false => Ok(()),
    }
}

#[hook("presence/bare", priority = 1000)]
#[hook("presence/full", priority = 1000)]
fn take_presence(presence: &mut Presence, cx: &Context<Blocking>) -> Flow {
    flow(is_incoming_blocked(presence, cx))
}

/// Checks stanzas that the server sends for a user, because these fire no `pre-` event.
#[hook("route/remote", priority = 1000)]
fn leave_server(stanza: &mut Stanza, cx: &Context<Blocking>) -> Flow {
    flow(is_for_blocked(stanza, cx))
}

fn flow(is_blocked: bool) -> Flow {
    if is_blocked { Flow::Handled } else { Flow::Continue }
}

/// Whether the recipient has blocked the sender, or the sender has blocked the recipient.
fn is_incoming_blocked(stanza: &Stanza, cx: &Context<Blocking>) -> bool {
    let (Some(from), Some(to)) = (stanza.from(), stanza.to()) else { return false };
    is_for_blocked(stanza, cx) || cx.state().blocks(to, from)
}

/// Whether a stanza that the server sends for a user, such as presence, is addressed to a blocked
/// address.
fn is_for_blocked(stanza: &Stanza, cx: &Context<Blocking>) -> bool {
    let (Some(from), Some(to)) = (stanza.from(), stanza.to()) else { return false };
    // Answers are not checked: the error for a blocked sender must reach the sender.
    let is_answer = || matches!(stanza.type_().as_deref(), Some("error" | "result"));
    if !matches!(stanza.origin(), Origin::Host(_)) || from.node().is_none() || is_answer() {
        return false;
    }
    let elsewhere;
    let lists = if from.domain().as_str() == cx.host().name() {
        cx.state()
    } else {
        // The sender may be a user of another host of this server.
        let host = cx.find_host(from.domain().as_str());
        let Some(lists) = host.and_then(|host| host.service::<Blocklists>()) else { return false };
        elsewhere = lists;
        &elsewhere
    };
    if stanza.type_().as_deref() == Some("unavailable") && lists.take_unavailable(from, to) {
        return false;
    }
    lists.blocks(from, to)
}

#[hook("user-deleted")]
async fn forget(event: &UserDeleted, cx: &Context<Blocking>) {
    cx.state().forget(&event.username).await;
}
