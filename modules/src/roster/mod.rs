//! Rosters (RFC 6121 §2): asking for one's contacts, changing them, hearing of changes.

mod contacts;
mod limits;
mod record;
mod set;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use event_core::{prelude::*, services};

use self::{contacts::Contacts, limits::RosterLimits};

/// Keeps the contacts of users.
#[module(name = "roster", state = State, features = ["jabber:iq:roster"])]
#[derive(Debug)]
pub struct ContactLists {
    /// How many contacts a user may have.
    #[serde(default = "default_contacts")]
    max_contacts: usize,
    /// How long the name of a contact or of a group may be, in bytes.
    #[serde(default = "default_name")]
    max_name: usize,
    /// In how many groups a contact may be.
    #[serde(default = "default_groups")]
    max_groups: usize,
    /// How many subscription requests may wait for a user's answer.
    #[serde(default = "default_requests")]
    max_requests: usize,
    /// How many of them may come from one domain, so that nobody alone can fill the list.
    #[serde(default = "default_requests_per_domain")]
    max_requests_per_domain: usize,
}

fn default_contacts() -> usize {
    2000
}

fn default_name() -> usize {
    1023
}

fn default_groups() -> usize {
    50
}

fn default_requests() -> usize {
    200
}

fn default_requests_per_domain() -> usize {
    50
}

impl ContactLists {
    fn limits(&self) -> RosterLimits {
        RosterLimits {
            contacts: self.max_contacts,
            name: self.max_name,
            groups: self.max_groups,
            requests: self.max_requests,
            requests_per_domain: self.max_requests_per_domain,
        }
    }
}

/// The rosters of a host.
#[derive(Debug)]
pub struct State(Arc<Contacts>);

impl ModuleState<ContactLists> for State {
    async fn start(host: &Arc<Host>, options: &ContactLists) -> Result<Self, StartError> {
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
    // RFC 6121 §2.6.1 and §3.4.1; before authentication neither means anything.
    if event.session.user().is_some() {
        event.features.push(ElementBuilder::new("ver", "urn:xmpp:features:rosterver").build());
        event.features.push(ElementBuilder::new("sub", "urn:xmpp:features:pre-approval").build());
    }
}

/// RFC 6121 §2.1.5: nobody but the owner sees or changes a roster.
#[hook("iq/bare/jabber:iq:roster:query", priority = 10)]
fn refuse_others(iq: &mut Iq) -> Result<(), StanzaError> {
    match iq.to() {
        None => Ok(()),
        Some(_) => Err(StanzaError::forbidden().text("a roster is its owner's alone")),
    }
}

/// RFC 6121 §2.1.6: a push comes from the user's own server. Clients have to check that; here it
/// protects those that don't.
#[hook("iq/full", priority = 1000)]
fn refuse_pushes(iq: &mut Iq) -> Result<(), StanzaError> {
    let is_push = iq.iq_type() == IqType::Set && iq.child("query", record::NS).is_some();
    if is_push && matches!(iq.origin(), event_core::Origin::Session(_)) {
        return Err(StanzaError::forbidden().text("only a user's server pushes the roster"));
    }
    Ok(())
}

#[hook("iq-get/self/jabber:iq:roster:query", priority = 10)]
async fn get(iq: &mut Iq, cx: &Context<ContactLists>) -> Result<Flow, StanzaError> {
    let (session, username) = owner(iq)?;
    let known = iq.child("query", record::NS).and_then(|query| query.attribute("ver"));
    let known = known.map(|known| known.into_owned());
    let contacts = &cx.state().0;
    // From now on it hears of changes: none may fall between the answer and them.
    contacts::follow(&session);
    let entry = contacts.enter(&username);
    let turn = entry.turn().await;
    let kept = turn.kept().await?;
    let answer = iq.answer_later();
    match kept.since(known.as_deref()) {
        // §2.6.3: what the client has, and the changes to it as pushes.
        Some(changes) => {
            answer.reply();
            for change in changes {
                contacts::push(&session, &change);
            }
        }
        None => answer.reply_with_element(&record::roster(&kept.roster, kept.version)),
    }
    drop(turn);
    Ok(Flow::Handled)
}

#[hook("iq-set/self/jabber:iq:roster:query", priority = 10)]
async fn set(iq: &mut Iq, cx: &Context<ContactLists>) -> Result<Flow, StanzaError> {
    let (session, username) = owner(iq)?;
    let wish = set::read(iq, &cx.limits())?;
    if session.user() == Some(&wish.jid) {
        return Err(StanzaError::not_allowed().text("nobody is a contact of their own"));
    }
    let mut answer = Some(iq.answer_later());
    let changed = {
        let entry = cx.state().0.enter(&username);
        let turn = entry.turn().await;
        let apply = |before: Option<&_>| wish.apply(before);
        // The result comes before the push, and only when the change is stored.
        let acknowledge = || {
            if let Some(answer) = answer.take() {
                answer.reply();
            }
        };
        turn.change(&wish.jid, apply, acknowledge).await
    };
    match changed {
        Err(error) => {
            if let Some(answer) = answer.take() {
                answer.error(&error);
            }
        }
        Ok(before) => {
            if let (true, Some(item)) = (wish.removes(), before) {
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

/// The session that asks, and its account.
fn owner(iq: &Iq) -> Result<(Session, String), StanzaError> {
    let session = iq.origin().session().ok_or_else(StanzaError::forbidden)?;
    let node = session.user().and_then(|user| user.node()).ok_or_else(StanzaError::forbidden)?;
    Ok((session.clone(), node.as_str().to_owned()))
}

/// After module `presence`, which tells the contacts.
#[hook("resource-unbind", priority = -1000)]
fn forget(unbind: &ResourceUnbind, cx: &Context<ContactLists>) {
    if let Some(node) = unbind.session.user().and_then(|user| user.node()) {
        drop(cx.state().0.enter(node.as_str()));
    }
}

/// RFC 6121 §2.5 for all contacts at once; the storage is purged by whoever removes the account.
#[hook("user-deleted")]
async fn remove_all(event: &UserDeleted, cx: &Context<ContactLists>) {
    let entry = cx.state().0.enter(&event.username);
    let kept = entry.turn().await.kept().await;
    match kept {
        Ok(kept) => {
            for item in kept.roster.contacts() {
                let username = event.username.clone();
                let event = RosterItemRemoved { username, item: item.clone(), session: None };
                cx.fire(event).await;
            }
        }
        Err(error) => {
            tracing::error!(%error, "the contacts of a removed account could not be told");
        }
    }
    entry.forget();
}
