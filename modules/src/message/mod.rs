//! Delivery of messages (RFC 6121 §8.5).

mod message_type;
mod pause;
#[cfg(test)]
mod tests;

use event_core::{Session, jid::Jid, prelude::*, services::Accounts};

use self::pause::{is_held, settled};
pub(crate) use self::{
    message_type::{Kind, kind},
    pause::Hold,
};

/// Delivers messages to the clients they are addressed to.
#[module(name = "message")]
#[derive(Debug)]
pub struct MessageDelivery;

/// Most messages need not wait for anything.
#[hook("message/full", priority = -1)]
fn deliver_at_once(message: &mut Message, cx: &Context<MessageDelivery>) -> Flow {
    let Some(Ok(full)) = message.to().map(Jid::try_as_full) else { return Flow::Continue };
    match cx.host().sessions().find(full) {
        Some(session) if !is_held(&session) && session.send(message.element()) => Flow::Handled,
        _ => Flow::Continue,
    }
}

#[hook("message/full", priority = -1)]
async fn deliver_to_client(
    message: &mut Message,
    cx: &Context<MessageDelivery>,
) -> Result<Flow, StanzaError> {
    let session = match message.to().map(Jid::try_as_full) {
        Some(Ok(full)) => cx.host().sessions().find(full),
        _ => None,
    };
    if let Some(session) = session {
        settled(&session).await;
        if session.send(message.element()) {
            return Ok(Flow::Handled);
        }
    }
    // RFC 6121 §8.5.3.2.1: only a chat goes on with whichever client is there.
    match kind(message) {
        Kind::Chat => deliver(message, cx).await,
        Kind::Normal | Kind::Groupchat => Err(StanzaError::service_unavailable()),
        Kind::Headline | Kind::Error => Ok(Flow::Handled),
    }
}

/// As [`deliver_at_once`], for those that go to whichever client is there.
#[hook("message/bare", priority = -1)]
fn deliver_to_account_at_once(message: &mut Message, cx: &Context<MessageDelivery>) -> Flow {
    if !matches!(kind(message), Kind::Normal | Kind::Chat) {
        return Flow::Continue;
    }
    let Some(account) = message.to().or(message.from()).and_then(Jid::node) else {
        return Flow::Continue;
    };
    let clients = available(cx.host(), account.as_str());
    let is_held = clients.iter().any(|(_, client)| is_held(client));
    match !is_held && give(clients, message.element()) {
        true => Flow::Handled,
        false => Flow::Continue,
    }
}

#[hook("message/bare", priority = -1)]
async fn deliver_to_account(
    message: &mut Message,
    cx: &Context<MessageDelivery>,
) -> Result<Flow, StanzaError> {
    deliver(message, cx).await
}

/// RFC 6121 §8.5.2.
async fn deliver(
    message: &mut Message,
    cx: &Context<MessageDelivery>,
) -> Result<Flow, StanzaError> {
    let username = username(message).ok_or_else(StanzaError::service_unavailable)?;
    match kind(message) {
        Kind::Error => return Ok(Flow::Handled),
        Kind::Groupchat => {
            let taken = match exists(&username, cx).await? {
                true => cx.host().fire_stanza::<events::MessageBareGroupchat>(message).await?,
                false => Flow::Continue,
            };
            return handled_or_unavailable(taken);
        }
        Kind::Headline => {
            for (_, client) in available(cx.host(), &username) {
                settled(&client).await;
                client.send(message.element());
            }
            return Ok(Flow::Handled);
        }
        Kind::Normal | Kind::Chat => {}
    }
    let clients = available(cx.host(), &username);
    for (_, client) in &clients {
        settled(client).await;
    }
    if give(clients, message.element()) {
        return Ok(Flow::Handled);
    }
    let kept = match exists(&username, cx).await? {
        true => cx.host().fire_stanza::<events::MessageOfflineHandle>(message).await?,
        false => Flow::Continue,
    };
    handled_or_unavailable(kept)
}

fn handled_or_unavailable(flow: Flow) -> Result<Flow, StanzaError> {
    match flow {
        Flow::Handled => Ok(Flow::Handled),
        Flow::Continue => Err(StanzaError::service_unavailable()),
    }
}

/// Whose message it is: without `to`, the sender's own.
pub(crate) fn username(message: &Message) -> Option<String> {
    let account = message.to().or(message.from())?;
    Some(account.node()?.as_str().to_owned())
}

async fn exists(username: &str, cx: &Context<MessageDelivery>) -> Result<bool, StanzaError> {
    match (cx.host().service::<dyn Accounts>(), cx.host().account(username)) {
        (Some(accounts), Some(account)) => Ok(accounts.exists(&account).await?),
        _ => Ok(false),
    }
}

/// The clients that take messages to the bare JID: available, with no negative priority.
fn available(host: &Host, username: &str) -> Vec<(i8, Session)> {
    let mut clients = Vec::new();
    host.sessions().each(username, |session| {
        if let Some(presence) = session.presence().filter(|presence| presence.priority >= 0) {
            clients.push((presence.priority, session.clone()));
        }
    });
    clients
}

/// Gives a message to the clients that share the highest priority; if none of them takes it, to
/// the next.
fn give(mut clients: Vec<(i8, Session)>, message: &Element) -> bool {
    clients.sort_by_key(|(priority, _)| std::cmp::Reverse(*priority));
    clients
        .chunk_by(|(a, _), (b, _)| a == b)
        .any(|same| same.iter().filter(|(_, client)| client.send(message)).count() > 0)
}

/// Gives a message to clients that came while it was on its way to where messages are kept, save
/// for those that are yet to be given what is kept.
pub(crate) fn give_now(host: &Host, username: &str, message: &Element) -> bool {
    let mut clients = available(host, username);
    clients.retain(|(_, client)| !is_held(client));
    give(clients, message)
}
