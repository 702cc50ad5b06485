//! Delivery of messages (RFC 6121 §8.5).

mod message_type;
mod pause;
#[cfg(test)]
mod tests;

use event_core::{NowOrLater, Session, jid::Jid, prelude::*};

pub(crate) use self::{message_type::MessageType, pause::DeliveryPause};

use crate::lookup;

/// Delivers messages to the addressed clients.
#[module(
    name = "message",
    fires = [events::MessageBareGroupchat, events::MessageOfflineHandle]
)]
#[derive(Debug)]
pub struct MessageDelivery;

/// Delivers to the addressed client (RFC 6121 §8.5.3).
#[hook("message/full", priority = -1)]
fn deliver_to_client(
    message: &mut Message,
    cx: &Context<MessageDelivery>,
) -> NowOrLater<Message, Result<Flow, StanzaError>> {
    let session = match message.to().map(Jid::try_as_full) {
        Some(Ok(full)) => cx.host().sessions().find(full),
        _ => None,
    };
    if session.is_some_and(|session| session.send(message.element())) {
        return NowOrLater::Now(Ok(Flow::Handled));
    }
    // RFC 6121 §8.5.3.2.1: without the addressed client, only a chat goes to the user's other
    // clients.
    match MessageType::of(message) {
        MessageType::Chat => {
            let cx = cx.clone();
            NowOrLater::later(|message| Box::pin(async move { deliver(message, &cx).await }))
        }
        MessageType::Normal | MessageType::Groupchat => {
            NowOrLater::Now(Err(StanzaError::service_unavailable()))
        }
        MessageType::Headline | MessageType::Error => NowOrLater::Now(Ok(Flow::Handled)),
    }
}

/// Delivers to the account (RFC 6121 §8.5.2).
#[hook("message/bare", priority = -1)]
fn deliver_to_account(
    message: &mut Message,
    cx: &Context<MessageDelivery>,
) -> NowOrLater<Message, Result<Flow, StanzaError>> {
    if deliver_at_once(message, cx.host()) {
        return NowOrLater::Now(Ok(Flow::Handled));
    }
    let cx = cx.clone();
    NowOrLater::later(|message| Box::pin(async move { deliver(message, &cx).await }))
}

/// Delivers a chat or normal message. Returns whether a client took the message.
fn deliver_at_once(message: &Message, host: &Host) -> bool {
    if !matches!(MessageType::of(message), MessageType::Normal | MessageType::Chat) {
        return false;
    }
    let Some(account) = message.to().or(message.from()).and_then(Jid::node) else { return false };
    give_now(host, account.as_str(), message.element())
}

/// Delivers to the clients of the account (RFC 6121 §8.5.2).
async fn deliver(
    message: &mut Message,
    cx: &Context<MessageDelivery>,
) -> Result<Flow, StanzaError> {
    let username = username(message).ok_or_else(StanzaError::service_unavailable)?;
    match MessageType::of(message) {
        MessageType::Error => return Ok(Flow::Handled),
        MessageType::Groupchat => {
            let flow = match exists(&username, cx.host()).await? {
                true => cx.fire_stanza::<events::MessageBareGroupchat>(message).await?,
                false => Flow::Continue,
            };
            return handled_or_unavailable(flow);
        }
        MessageType::Headline => {
            for (_, client) in available(cx.host(), &username) {
                client.send(message.element());
            }
            return Ok(Flow::Handled);
        }
        MessageType::Normal | MessageType::Chat => {}
    }
    if give_now(cx.host(), &username, message.element()) {
        return Ok(Flow::Handled);
    }
    let flow = match exists(&username, cx.host()).await? {
        true => cx.fire_stanza::<events::MessageOfflineHandle>(message).await?,
        false => Flow::Continue,
    };
    handled_or_unavailable(flow)
}

fn handled_or_unavailable(flow: Flow) -> Result<Flow, StanzaError> {
    match flow {
        Flow::Handled => Ok(Flow::Handled),
        Flow::Continue => Err(StanzaError::service_unavailable()),
    }
}

/// The username of the recipient; without `to`, of the sender.
pub(crate) fn username(message: &Message) -> Option<String> {
    let account = message.to().or(message.from())?;
    Some(account.node()?.as_str().to_owned())
}

async fn exists(username: &str, host: &Host) -> Result<bool, StanzaError> {
    match host.account(username) {
        Some(account) => Ok(lookup::exists(&account, host).await?),
        None => Ok(false),
    }
}

/// The clients that get messages to the bare JID: available clients with a priority of at least 0.
fn available(host: &Host, username: &str) -> Vec<(i8, Session)> {
    let mut clients = Vec::new();
    host.sessions().each(username, |session| {
        if let Some(presence) = session.presence().filter(|presence| presence.priority >= 0) {
            clients.push((presence.priority, session.clone()));
        }
    });
    clients
}

/// Sends a message to the available clients that share the highest priority. If no client of this
/// priority takes the message, tries the next lower one. Returns whether a client took the message.
pub(crate) fn give_now(host: &Host, username: &str, message: &Element) -> bool {
    let mut clients = available(host, username);
    clients.sort_by_key(|(priority, _)| std::cmp::Reverse(*priority));
    clients
        .chunk_by(|(a, _), (b, _)| a == b)
        .any(|same| same.iter().filter(|(_, client)| client.send(message)).count() > 0)
}
