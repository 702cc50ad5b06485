//! Offline messages (XEP-0160), stamped with the time they came (XEP-0203) and kept only where
//! their sender lets them be (XEP-0334).

#[cfg(test)]
mod tests;

use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

use chrono::{DateTime, SecondsFormat, Utc};
use event_core::{
    prelude::*,
    storage::{Archived, Page, Schema, StorageError, StorageResult, Store},
    xml::{Limits, STANZA_NS, Scope},
};
use tokio::time::timeout;

use crate::{
    locks::Locks,
    message::{self, Kind},
};

const NS_DELAY: &str = "urn:xmpp:delay";
const NS_HINTS: &str = "urn:xmpp:hints";

const SCHEMA: Schema = Schema { store: "offline", version: 1, migrations: &[] };

/// Under this key stands how many bytes an account's messages have, as eight bytes, the greatest
/// first.
const BYTES: &str = "bytes";

/// Messages read at a time.
const PAGE: u32 = 50;

/// Bytes handed to a client before the system has to have taken them.
const BATCH: usize = 64 * 1024;

/// How long a client may take to read a batch; what it has not read then stays.
const PATIENCE: Duration = Duration::from_secs(20);

/// Keeps messages for users who are not there, and gives them to the first client that comes.
#[module(features = ["msgoffline"], state = Kept)]
pub struct Offline {
    /// How many messages are kept for one account; more are refused.
    #[serde(default = "max_messages")]
    max_messages: u64,
    /// How many bytes the messages of one account may have together.
    #[serde(default = "max_bytes")]
    max_bytes: u64,
}

fn max_messages() -> u64 {
    1000
}

fn max_bytes() -> u64 {
    4 * 1024 * 1024
}

/// The messages, and who is at work on those of an account.
#[derive(Debug)]
pub struct Kept {
    store: Store,
    locks: Locks,
}

impl ModuleState<Offline> for Kept {
    async fn start(host: &Arc<Host>, _: &Offline) -> Result<Self, StartError> {
        Ok(Self { store: host.store(&SCHEMA).await?, locks: Locks::default() })
    }
}

/// What is to be done with a message that reached nobody.
#[derive(Debug, PartialEq)]
enum Worth {
    Keep,
    /// It says nothing once it is late.
    Forget,
    /// Its sender forbids to keep it, and hears that it did not arrive.
    Refuse,
}

fn worth(message: &Message) -> Worth {
    if !matches!(message::kind(message), Kind::Normal | Kind::Chat) {
        return Worth::Refuse;
    }
    let hint = |name| message.child(name, NS_HINTS).is_some();
    let has_content = message.element().children().any(|child| {
        let is_state = child.namespace() == "http://jabber.org/protocol/chatstates";
        // What stands beside the content and is none itself.
        let is_beside = [NS_HINTS, NS_DELAY, "urn:xmpp:sid:0"].contains(&child.namespace())
            || child.is("thread", STANZA_NS);
        !is_state && !is_beside
    });
    if hint("store") {
        Worth::Keep
    } else if !has_content {
        Worth::Forget
    } else if hint("no-store") {
        Worth::Refuse
    } else {
        Worth::Keep
    }
}

#[hook("message/offline/handle", priority = -1)]
async fn keep(message: &mut Message, cx: &Context<Offline>) -> Result<Flow, StanzaError> {
    match worth(message) {
        Worth::Keep => {}
        Worth::Forget => return Ok(Flow::Handled),
        Worth::Refuse => return Ok(Flow::Continue),
    }
    let Some(username) = message::username(message) else { return Ok(Flow::Continue) };
    let Kept { store, locks } = cx.state();
    let _lock = locks.lock(&username).await;
    // A client may have come, and been given what was kept, since somebody looked for one.
    if message::give_now(cx.host(), &username, message.element()) {
        return Ok(Flow::Handled);
    }
    let value = unstamped(message.element(), cx.host());
    let bytes = used(store, &username).await?.saturating_add(value.len() as u64);
    if bytes > cx.max_bytes {
        return Err(full());
    }
    let append = store.to_append(&username, value, Some(cx.max_messages));
    let count = store.to_set(&username, BYTES, bytes.to_be_bytes().to_vec());
    match cx.host().transact(vec![append, count]).await {
        Ok(_) => Ok(Flow::Handled),
        Err(StorageError::Full(_)) => Err(full()),
        Err(error) => Err(error.into()),
    }
}

fn full() -> StanzaError {
    StanzaError::service_unavailable().text("too many messages wait for this user")
}

/// The message as it is kept: only this host says when it took a message over.
fn unstamped(message: &Element, host: &Host) -> Vec<u8> {
    let mut message = message.clone();
    message.retain_children(|child| {
        !child.is("delay", NS_DELAY) || child.attribute("from").as_deref() != Some(host.name())
    });
    message.as_bytes().to_vec()
}

async fn used(store: &Store, username: &str) -> StorageResult<u64> {
    let value = store.get(username, BYTES).await?;
    let bytes = value.and_then(|value| <[u8; 8]>::try_from(value).ok());
    Ok(bytes.map_or(0, u64::from_be_bytes))
}

#[hook("message/offline/broadcast", priority = -1)]
async fn hand_over(
    event: &mut MessageOfflineBroadcast,
    cx: &Context<Offline>,
) -> Result<Flow, StanzaError> {
    let session = &event.session;
    let Some(username) = session.user().and_then(|user| user.node()) else {
        return Ok(Flow::Continue);
    };
    // Whoever comes second finds nothing left.
    let _lock = cx.state().locks.lock(username.as_str()).await;
    while hand_over_some(session, username.as_str(), cx).await? {}
    Ok(Flow::Handled)
}

/// Gives a client the oldest messages, and deletes them once they are on their way: what a crash
/// or a lost connection leaves behind is given to the next client. Says whether there may be more
/// that can be given.
async fn hand_over_some(
    session: &Session,
    username: &str,
    cx: &Context<Offline>,
) -> StorageResult<bool> {
    let store = &cx.state().store;
    let (mut last, mut bytes) = (None, 0);
    for kept in store.page(username, Page::oldest(PAGE)).await? {
        if last.is_some() && bytes + kept.value.len() > BATCH {
            break;
        }
        if let Some(message) = stamped(&kept, cx.host())
            && !session.send(&message)
        {
            return Ok(false);
        }
        last = Some(kept.id);
        bytes += kept.value.len();
    }
    let Some(last) = last else { return Ok(false) };
    if timeout(PATIENCE, session.flushed()).await != Ok(true) {
        return Ok(false);
    }
    let left = used(store, username).await?.saturating_sub(bytes as u64);
    let count = match left {
        0 => store.to_delete(username, BYTES),
        left => store.to_set(username, BYTES, left.to_be_bytes().to_vec()),
    };
    cx.host().transact(vec![store.to_delete_up_to(username, last), count]).await?;
    Ok(true)
}

/// A kept message with the time it came (XEP-0203).
fn stamped(kept: &Archived, host: &Host) -> Option<Element> {
    let parsed = Element::parse(&kept.value, &Scope::new(STANZA_NS), &Limits::UNBOUNDED);
    let mut message = match parsed {
        Ok(message) => message,
        Err(error) => {
            tracing::error!(%error, id = kept.id, "a message that was kept cannot be read");
            return None;
        }
    };
    let delay = ElementBuilder::new("delay", NS_DELAY)
        .attribute("from", host.name())
        .attribute("stamp", &stamp(kept.at));
    message.push_child(&delay.build());
    Some(message)
}

/// XEP-0082.
fn stamp(at: SystemTime) -> String {
    DateTime::<Utc>::from(at).to_rfc3339_opts(SecondsFormat::Millis, true)
}
