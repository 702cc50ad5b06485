//! A module for Spondee: it keeps a note for each account.

use event_core::{
    jid::{BareJid, Jid},
    prelude::*,
    storage::{Schema, StorageResult, Store},
};

#[cfg(test)]
mod tests;

event_core::module_crate! {
    defaults = ["sticky_note"],
    namespaces = ["urn:example:sticky-note:0"],
}

/// The namespace of the requests.
const NS: &str = "urn:example:sticky-note:0";

/// Keeps a note for each account, and shows it to the account's clients when they come online.
#[module(state = Notes, fires = [NoteChanged])]
#[derive(Debug)]
pub struct StickyNote {
    /// The maximum length of a note in bytes.
    #[option(default = 1000)]
    max_bytes: usize,
}

/// The stored notes.
#[derive(Debug)]
pub struct Notes(Store);

const SCHEMA: Schema = Schema { store: "sticky_note", version: 1, migrations: &[] };

/// The key of an account's note; it is the only key.
const KEY: &str = "note";

impl ModuleState<StickyNote> for Notes {
    async fn start(host: &HostContext, _: &StickyNote) -> Result<Self, StartError> {
        Ok(Self(host.store(&SCHEMA).await?))
    }
}

impl Notes {
    async fn get(&self, account: &BareJid) -> StorageResult<Option<String>> {
        let note = self.0.get(owner(account), KEY).await?;
        Ok(note.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()))
    }

    async fn set(&self, account: &BareJid, text: &str) -> StorageResult<()> {
        self.0.set(owner(account), KEY, text.into()).await
    }
}

/// The owner of an account's data is its username; the data are deleted with the account.
fn owner(account: &BareJid) -> &str {
    account.node().map(|node| node.as_str()).unwrap_or_default()
}

/// An account has a new note.
#[event("sticky-note-changed", kind = "notification")]
#[derive(Debug)]
pub struct NoteChanged<'a> {
    /// The account.
    pub account: &'a BareJid,
    /// The note.
    pub text: &'a str,
}

/// Stores a note. The event fires only for requests to the sender's own account.
#[hook("iq-set/self/urn:example:sticky-note:0:note", priority = 10)]
async fn keep(iq: &mut Iq, cx: &Context<StickyNote>) -> Result<Reply, StanzaError> {
    let account = sender(iq)?;
    let note = iq.child("note", NS).ok_or_else(StanzaError::bad_request)?;
    let text = note.text();
    if text.len() > cx.max_bytes {
        let limit = format!("a note may have at most {} bytes", cx.max_bytes);
        return Err(StanzaError::policy_violation().text(limit));
    }
    cx.state().set(&account, &text).await?;
    cx.fire(NoteChanged { account: &account, text: &text }).await;
    Ok(iq.reply())
}

/// Answers with the note.
#[hook("iq-get/self/urn:example:sticky-note:0:note", priority = 10)]
async fn answer(iq: &mut Iq, cx: &Context<StickyNote>) -> Result<Reply, StanzaError> {
    let text = cx.state().get(&sender(iq)?).await?.ok_or_else(StanzaError::item_not_found)?;
    Ok(iq.reply_with_element(&ElementBuilder::new("note", NS).text(&text).build()))
}

/// Shows the note to a client that comes online.
#[hook("presence/initial")]
async fn remind(presence: &Presence, cx: &Context<StickyNote>) {
    let Some(client) = presence.from() else { return };
    match cx.state().get(&client.to_bare()).await {
        Ok(Some(text)) => cx.send(headline(client, &text)),
        Ok(None) => {}
        Err(error) => tracing::error!(%error, %client, "cannot read a note"),
    }
}

/// Shows a new note to the account's clients that are online.
#[hook(NoteChanged)]
fn show(changed: &NoteChanged<'_>, cx: &Context<StickyNote>) {
    tracing::info!(account = %changed.account, "a note has changed");
    cx.send(headline(changed.account, changed.text));
}

fn sender(iq: &Iq) -> Result<BareJid, StanzaError> {
    iq.from().map(Jid::to_bare).ok_or_else(StanzaError::bad_request)
}

/// A message that clients show at once, and that the server does not store.
fn headline(to: &Jid, text: &str) -> Element {
    let body = ElementBuilder::new("body", STANZA_NS).text(text).build();
    let message = ElementBuilder::new("message", STANZA_NS).attribute("type", "headline");
    message.attribute("to", to.as_str()).child(&body).build()
}
