//! Rosters (RFC 6121 §2): requests, changes and pushes.

mod contacts;
mod limits;
mod record;
mod set;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use event_core::{prelude::*, services};

use self::{contacts::Contacts, limits::RosterLimits};
use crate::{lookup, stanzas};

/// Stores the contacts of users.
#[module(
    name = "roster",
    state = State,
    features = ["jabber:iq:roster"],
    fires = [events::RosterLoad, events::RosterItemRemoved]
)]
#[derive(Debug)]
pub struct ContactLists {
    /// The maximum number of contacts of a user.
    #[option(default = 2000)]
    max_contacts: usize,
    /// The maximum length of the name of a contact or group, in bytes.
    #[option(default = 1023)]
    max_name: usize,
    /// The maximum size of a user's contacts together, with their names and groups, in bytes. A
    /// change that makes them larger is refused.
    #[option(default = 1_048_576)]
    max_bytes: usize,
    /// The maximum number of groups of a contact.
    #[option(default = 50)]
    max_groups: usize,
    /// The maximum number of subscription requests that wait for a user's answer.
    #[option(default = 200)]
    max_requests: usize,
    /// The maximum number of waiting requests from one domain, so that one domain cannot use up
    /// `max_requests`.
    #[option(default = 50)]
    max_requests_per_domain: usize,
    /// The maximum size of a user's waiting requests together, in bytes; at most a quarter of it
    /// from one domain.
    #[option(default = 131_072)]
    max_requests_bytes: usize,
}

impl ContactLists {
    fn limits(&self) -> RosterLimits {
        RosterLimits {
            contacts: self.max_contacts,
            bytes: self.max_bytes,
            name: self.max_name,
            groups: self.max_groups,
            requests: self.max_requests,
            requests_per_domain: self.max_requests_per_domain,
            requests_bytes: self.max_requests_bytes,
        }
    }
}

/// The rosters of a host.
#[derive(Debug)]
pub struct State(Arc<Contacts>);

impl ModuleState<ContactLists> for State {
    async fn start(host: &HostContext, options: &ContactLists) -> Result<Self, StartError> {
        let store = host.store(&record::SCHEMA).await?;
        let contacts = Arc::new(Contacts::new(host, store, options.limits()));
        host.provide::<dyn services::Rosters>(Arc::<Contacts>::clone(&contacts));
        Ok(Self(contacts))
    }

    async fn reload(&self, _: &ContactLists, new: &ContactLists) {
        self.0.set_limits(new.limits());
    }
}

#[hook("stream-features")]
fn advertise(event: &mut StreamFeatures) {
    // RFC 6121 §2.6.1, §3.4.1: both features are for authenticated clients.
    if event.session.user().is_some() {
        event.features.push(ElementBuilder::new("ver", "urn:xmpp:features:rosterver").build());
        event.features.push(ElementBuilder::new("sub", "urn:xmpp:features:pre-approval").build());
    }
}

/// RFC 6121 §2.1.5: only the owner reads and changes a roster.
#[hook("iq/bare/jabber:iq:roster:query", priority = 10)]
fn refuse_others(iq: &mut Iq) -> Result<(), StanzaError> {
    match iq.to() {
        None => Ok(()),
        Some(_) => Err(StanzaError::forbidden().text("only the owner can access a roster")),
    }
}

/// RFC 6121 §2.1.6: only the user's server sends pushes. Clients must check this. The server checks
/// it for clients that do not.
#[hook("iq/full", priority = 1000)]
fn refuse_pushes(iq: &mut Iq) -> Result<(), StanzaError> {
    let is_push = iq.iq_type() == IqType::Set && iq.child("query", record::NS).is_some();
    if is_push && matches!(iq.origin(), event_core::Origin::Session(_)) {
        return Err(StanzaError::forbidden().text("only the user's server can push the roster"));
    }
    Ok(())
}

#[hook("iq-get/self/jabber:iq:roster:query", priority = 10)]
async fn get(iq: &mut Iq, cx: &Context<ContactLists>) -> Result<Flow, StanzaError> {
    let (session, username) = lookup::local_sender(iq).ok_or_else(StanzaError::forbidden)?;
    let known = iq.child("query", record::NS).and_then(|query| query.attribute("ver"));
    let known = known.map(|known| known.into_owned());
    let contacts = &cx.state().0;
    // The slot is set before the roster is read, so that the client misses no change.
    contacts::follow(&session);
    let entry = contacts.enter(&username);
    let lock = entry.lock().await;
    let stored = lock.load().await?;
    let answer = cx.answer_later(iq);
    match stored.since(known.as_deref()) {
        // §2.6.3: an empty result, then the changes as pushes.
        Some(changes) => {
            answer.reply();
            for change in changes {
                stanzas::push(&session, &change);
            }
        }
        None => answer.reply_with_element(&record::roster(&stored.roster, stored.version)),
    }
    drop(lock);
    Ok(Flow::Handled)
}

#[hook("iq-set/self/jabber:iq:roster:query", priority = 10)]
async fn set(iq: &mut Iq, cx: &Context<ContactLists>) -> Result<Flow, StanzaError> {
    let (session, username) = lookup::local_sender(iq).ok_or_else(StanzaError::forbidden)?;
    let change = set::read(iq, &cx.limits())?;
    if session.user() == Some(&change.jid) {
        return Err(StanzaError::not_allowed().text("an account cannot be its own contact"));
    }
    let mut answer = Some(cx.answer_later(iq));
    let changed = {
        let entry = cx.state().0.enter(&username);
        let lock = entry.lock().await;
        let apply = |before: Option<&_>| change.apply(before);
        // The result is sent after the change is stored and before the push.
        let acknowledge = || {
            if let Some(answer) = answer.take() {
                answer.reply();
            }
        };
        lock.change(&change.jid, apply, acknowledge).await
    };
    match changed {
        Err(error) => {
            if let Some(answer) = answer.take() {
                answer.error(&error);
            }
        }
        Ok(before) => {
            if let (true, Some(item)) = (change.removes(), before) {
                let event = RosterItemRemoved {
                    username: username.as_str().into(),
                    item,
                    session: Some(session),
                };
                cx.fire(event).await;
            }
        }
    }
    Ok(Flow::Handled)
}

/// Removes the roster of a user who is no longer online from memory. Runs after module `presence`,
/// which reads the roster to inform the contacts.
#[hook("resource-unbind", priority = -1000)]
fn forget(unbind: &ResourceUnbind, cx: &Context<ContactLists>) {
    if let Some(node) = unbind.session.user().and_then(|user| user.node()) {
        drop(cx.state().0.enter(node.as_str()));
    }
}

/// Fires `roster-item-removed` for all contacts (RFC 6121 §2.5). The stored contacts are deleted
/// with the account.
#[hook("user-deleted")]
async fn remove_all(event: &UserDeleted, cx: &Context<ContactLists>) {
    let entry = cx.state().0.enter(&event.username);
    let stored = entry.lock().await.load().await;
    match stored {
        Ok(stored) => {
            for item in stored.roster.contacts() {
                let username = event.username.clone();
                let event = RosterItemRemoved { username, item: item.clone(), session: None };
                cx.fire(event).await;
            }
        }
        Err(error) => {
            tracing::error!(%error, "cannot read the contacts of a removed account");
        }
    }
    entry.forget();
}
