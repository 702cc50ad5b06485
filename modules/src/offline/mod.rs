//! Offline messages (XEP-0160), with the time of their arrival (XEP-0203). A sender can forbid the
//! storage of a message (XEP-0334).

#[cfg(test)]
mod tests;

use std::time::SystemTime;

use chrono::{DateTime, SecondsFormat, Utc};
use event_core::{
    prelude::*,
    storage::{Archived, Page, Schema, StorageError, StorageResult, Store},
    xml::STANZA_NS,
};

use crate::{
    locks::Locks,
    message::{self, MessageType},
    stored,
};

const NS_DELAY: &str = "urn:xmpp:delay";
const NS_HINTS: &str = "urn:xmpp:hints";

const SCHEMA: Schema = Schema { store: "offline", version: 1, migrations: &[] };

/// The key of the total size of an account's messages in bytes, a big-endian `u64`.
const BYTES: &str = "bytes";

/// The number of messages that are read at once.
const PAGE: u32 = 50;

/// The number of bytes that are sent to a client before each wait for a flush.
const BATCH_BYTES: usize = 64 * 1024;

/// Stores messages for users without an available client, and sends them to the next client that
/// becomes available.
#[module(features = ["msgoffline"], state = OfflineStore)]
pub struct Offline {
    /// The maximum number of messages stored for one account; more are refused.
    #[option(default = 1000)]
    max_messages: u64,
    /// The maximum total size of the messages stored for one account, in bytes; more are refused.
    #[option(default = 4_194_304)]
    max_bytes: u64,
}

/// The stored messages.
#[derive(Debug)]
pub struct OfflineStore {
    store: Store,
    /// A lock for each account, for changes of its messages. Senders wait for it, so nobody waits
    /// for a client while holding it.
    locks: Locks,
    /// A lock for each account, so that its messages are sent to one client at a time.
    sending: Locks,
}

impl ModuleState<Offline> for OfflineStore {
    async fn start(host: &HostContext, _: &Offline) -> Result<Self, StartError> {
        let store = host.store(&SCHEMA).await?;
        Ok(Self { store, locks: Locks::default(), sending: Locks::default() })
    }
}

/// The decision about a message that no client took.
#[derive(Debug, PartialEq)]
enum Decision {
    Store,
    /// The message is dropped without an error, because it is useless later.
    Drop,
    /// The sender gets an error: the sender forbids the storage, or the type is never stored.
    Refuse,
}

fn decide(message: &Message) -> Decision {
    if !matches!(MessageType::of(message), MessageType::Normal | MessageType::Chat) {
        return Decision::Refuse;
    }
    let hint = |name| message.child(name, NS_HINTS).is_some();
    let has_content = message.element().children().any(|child| {
        let is_state = child.namespace() == "http://jabber.org/protocol/chatstates";
        // Metadata of a message, which is no content.
        let is_metadata = [NS_HINTS, NS_DELAY, "urn:xmpp:sid:0"].contains(&child.namespace())
            || child.is("thread", STANZA_NS);
        !is_state && !is_metadata
    });
    if hint("store") {
        Decision::Store
    } else if !has_content {
        Decision::Drop
    } else if hint("no-store") {
        Decision::Refuse
    } else {
        Decision::Store
    }
}

#[hook("message/offline/handle", priority = -1)]
async fn store(message: &mut Message, cx: &Context<Offline>) -> Result<Flow, StanzaError> {
    match decide(message) {
        Decision::Store => {}
        Decision::Drop => return Ok(Flow::Handled),
        Decision::Refuse => return Ok(Flow::Continue),
    }
    let Some(username) = message::username(message) else { return Ok(Flow::Continue) };
    let OfflineStore { store, locks, .. } = cx.state();
    let _lock = locks.lock(&username).await;
    // A client may have become available, and have got the stored messages, since module `message`
    // looked for clients.
    if message::give_now(cx.host(), &username, message.element()) {
        return Ok(Flow::Handled);
    }
    let value = without_own_delay(message.element(), cx.host());
    let bytes = stored_bytes(store, &username).await?.saturating_add(value.len() as u64);
    if bytes > cx.max_bytes {
        return Err(full());
    }
    let append = store.to_append(&username, value, Some(cx.max_messages));
    let count = store.to_set(&username, BYTES, bytes.to_be_bytes().to_vec());
    match cx.transact(vec![append, count]).await {
        Ok(_) => Ok(Flow::Handled),
        Err(StorageError::Full(_)) => Err(full()),
        Err(error) => Err(error.into()),
    }
}

fn full() -> StanzaError {
    StanzaError::service_unavailable().text("the user has too many offline messages")
}

/// The message without delay elements in the name of this host, because only the host may add one.
fn without_own_delay(message: &Element, host: &Host) -> Vec<u8> {
    let mut message = message.clone();
    message.retain_children(|child| {
        !child.is("delay", NS_DELAY) || child.attribute("from").as_deref() != Some(host.name())
    });
    message.as_bytes().to_vec()
}

async fn stored_bytes(store: &Store, username: &str) -> StorageResult<u64> {
    let value = store.get(username, BYTES).await?;
    let bytes = value.and_then(|value| <[u8; 8]>::try_from(value).ok());
    Ok(bytes.map_or(0, u64::from_be_bytes))
}

#[hook("message/offline/broadcast", priority = -1)]
async fn send_stored(
    event: &mut MessageOfflineBroadcast,
    cx: &Context<Offline>,
) -> Result<Flow, StanzaError> {
    let session = &event.session;
    let Some(username) = session.user().and_then(|user| user.node()) else {
        return Ok(Flow::Continue);
    };
    // A second client that waits for the lock finds no messages left.
    let _sending = cx.state().sending.lock(username.as_str()).await;
    let mut newest = None;
    while send_batch(session, username.as_str(), &mut newest, cx).await? {}
    Ok(Flow::Handled)
}

/// Sends the oldest messages to a client, and deletes these messages after the flush, so that a
/// crash or a broken connection loses no message. Returns whether more messages may be stored.
///
/// Messages that arrive meanwhile are kept apart for the client while there is room, and stored
/// after that. So those kept apart are older than those stored after `newest`, the last message
/// that was stored when the first was kept apart.
async fn send_batch(
    session: &Session,
    username: &str,
    newest: &mut Option<i64>,
    cx: &Context<Offline>,
) -> StorageResult<bool> {
    let OfflineStore { store, locks, .. } = cx.state();
    let page = {
        let _lock = locks.lock(username).await;
        let page = store.page(username, Page::oldest(PAGE)).await?;
        let Some(oldest) = page.first() else {
            // Under the lock, no message is stored before the client takes messages again.
            session.release_messages();
            return Ok(false);
        };
        if newest.is_none_or(|newest| oldest.id > newest) {
            if newest.is_some() {
                session.hold_messages();
            }
            *newest = store.page(username, Page::newest(1)).await?.pop().map(|last| last.id);
        }
        page
    };
    let (mut last, mut bytes, mut batch) = (None, 0, Vec::new());
    for stored in page {
        let is_full = last.is_some() && bytes + stored.value.len() > BATCH_BYTES;
        if is_full || newest.is_none_or(|newest| stored.id > newest) {
            break;
        }
        batch.extend(with_delay(&stored, username, cx.host()));
        last = Some(stored.id);
        bytes += stored.value.len();
    }
    let Some(last) = last else { return Ok(false) };
    if !session.send_all(batch).await || !session.flushed().await {
        return Ok(false);
    }
    let _lock = locks.lock(username).await;
    let left = stored_bytes(store, username).await?.saturating_sub(bytes as u64);
    let count = match left {
        0 => store.to_delete(username, BYTES),
        left => store.to_set(username, BYTES, left.to_be_bytes().to_vec()),
    };
    cx.transact(vec![store.to_delete_up_to(username, last), count]).await?;
    Ok(true)
}

/// A stored message with the time of its arrival (XEP-0203).
fn with_delay(stored: &Archived, username: &str, host: &Host) -> Option<Element> {
    let mut message = stored::read(SCHEMA.store, username, &stored.value)?;
    let delay = ElementBuilder::new("delay", NS_DELAY)
        .attribute("from", host.name())
        .attribute("stamp", &stamp(stored.at));
    message.push_child(&delay.build());
    Some(message)
}

/// A time in the format of XEP-0082.
fn stamp(at: SystemTime) -> String {
    DateTime::<Utc>::from(at).to_rfc3339_opts(SecondsFormat::Millis, true)
}
