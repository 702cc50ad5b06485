//! Presence without rosters: to one's own clients, and directed (RFC 6121 §4).

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use event_core::{Available, Session, jid::Jid, prelude::*};

/// Tells a user's clients of each other, and delivers directed presence.
#[module(name = "presence", state = Directed)]
#[derive(Debug)]
pub struct PresenceDelivery;

/// Whom a client may have sent directed presence, at most.
const MAX_DIRECTED: usize = 1000;

/// Who was sent directed presence, by session: they are told when the client is gone
/// (RFC 6121 §4.6.3).
#[derive(Debug, Default)]
pub struct Directed(Mutex<HashMap<u64, HashSet<Jid>>>);

impl ModuleState<PresenceDelivery> for Directed {
    async fn start(_: &Arc<Host>, _: &PresenceDelivery) -> Result<Self, StartError> {
        Ok(Self::default())
    }
}

impl Directed {
    fn lock(&self) -> MutexGuard<'_, HashMap<u64, HashSet<Jid>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take(&self, session: &Session) -> HashSet<Jid> {
        self.lock().remove(&session.id()).unwrap_or_default()
    }
}

#[hook("presence/bare", priority = -1)]
async fn deliver_to_account(
    presence: &mut Presence,
    cx: &Context<PresenceDelivery>,
) -> Result<Flow, StanzaError> {
    let Some(to) = presence.to() else { return broadcast(presence, cx).await };
    let username = to.node().map(|node| node.as_str().to_owned()).unwrap_or_default();
    match presence.type_().as_deref() {
        None | Some("unavailable" | "error") => {}
        Some("probe") => return Ok(Flow::Handled),
        Some("subscribe" | "subscribed" | "unsubscribe" | "unsubscribed") => {
            return Err(StanzaError::feature_not_implemented().text("there are no rosters yet"));
        }
        Some(_) => return Err(StanzaError::bad_request().text("no such type of presence")),
    }
    cx.host().sessions().each(&username, |session| {
        if session.presence().is_some() {
            session.send(presence.element());
        }
    });
    Ok(Flow::Handled)
}

#[hook("presence/full", priority = -1)]
fn deliver_to_client(presence: &mut Presence, cx: &Context<PresenceDelivery>) -> Flow {
    if let Some(Ok(to)) = presence.to().map(Jid::try_as_full)
        && let Some(session) = cx.host().sessions().find(to)
    {
        session.send(presence.element());
    }
    Flow::Handled
}

/// The host itself has no interest in anybody's presence.
#[hook("presence/host", priority = -1)]
fn swallow(_: &mut Presence) -> Flow {
    Flow::Handled
}

/// RFC 6121 §4.2.2, §4.4.2, §4.5.2: a client's own presence goes to all clients of the user.
async fn broadcast(
    presence: &mut Presence,
    cx: &Context<PresenceDelivery>,
) -> Result<Flow, StanzaError> {
    let Some(session) = presence.origin().session().cloned() else { return Ok(Flow::Handled) };
    let is_available = match presence.type_().as_deref() {
        None => true,
        Some("unavailable") => false,
        Some("error") => return Ok(Flow::Handled),
        Some(_) => return Err(StanzaError::bad_request().text("this presence needs a `to`")),
    };
    if !is_available {
        leave(&session, presence.element(), cx);
        return Ok(Flow::Handled);
    }
    let priority = priority(presence)?;
    let others = others(&session, cx.host());
    for client in others.iter().chain([&session]) {
        send(presence.element(), client, cx);
    }
    let available = Available { priority, presence: presence.element().clone() };
    if session.presence().is_some() {
        session.set_presence(Some(available));
        return Ok(Flow::Handled);
    }
    cx.host().fire_stanza::<events::PresenceInitial>(presence).await?;
    session.set_presence(Some(available));
    for other in others {
        if let Some(theirs) = other.presence() {
            send(&theirs.presence, &session, cx);
        }
    }
    Ok(Flow::Handled)
}

/// RFC 6121 §4.7.2.3: an integer from -128 to 127, 0 when there is none.
fn priority(presence: &Presence) -> Result<i8, StanzaError> {
    match presence.child("priority", "jabber:client") {
        None => Ok(0),
        Some(priority) => priority
            .text()
            .trim()
            .parse()
            .map_err(|_| StanzaError::bad_request().text("a priority is from -128 to 127")),
    }
}

/// The user's other available clients.
fn others(session: &Session, host: &Host) -> Vec<Session> {
    let username = session.user().and_then(|user| user.node()).map(|node| node.as_str());
    let mut others = host.sessions().of(username.unwrap_or_default());
    others.retain(|other| other != session && other.presence().is_some());
    others
}

fn send(presence: &Element, to: &Session, cx: &Context<PresenceDelivery>) {
    if let Some(jid) = to.jid() {
        let mut presence = presence.clone();
        presence.set_attribute("to", Some(jid.as_str()));
        cx.send(presence);
    }
}

/// Tells everybody who saw the client that it is gone.
fn leave(session: &Session, unavailable: &Element, cx: &Context<PresenceDelivery>) {
    let directed = cx.state().take(session);
    if session.presence().is_some() {
        session.set_presence(None);
        for other in others(session, cx.host()) {
            send(unavailable, &other, cx);
        }
    }
    for to in directed {
        let mut presence = unavailable.clone();
        presence.set_attribute("to", Some(to.as_str()));
        cx.send(presence);
    }
}

#[hook("resource-unbind")]
fn leave_unbound(unbind: &ResourceUnbind, cx: &Context<PresenceDelivery>) {
    let Some(jid) = unbind.session.jid() else { return };
    let unavailable = ElementBuilder::new("presence", "jabber:client")
        .attribute("from", jid.as_str())
        .attribute("type", "unavailable");
    leave(&unbind.session, &unavailable.build(), cx);
}

#[hook("pre-presence/full", priority = -1000)]
fn note_directed_to_client(
    presence: &mut Presence,
    cx: &Context<PresenceDelivery>,
) -> Result<(), StanzaError> {
    note_directed(presence, cx)
}

#[hook("pre-presence/bare", priority = -1000)]
fn note_directed_to_account(
    presence: &mut Presence,
    cx: &Context<PresenceDelivery>,
) -> Result<(), StanzaError> {
    note_directed(presence, cx)
}

#[hook("pre-presence/host", priority = -1000)]
fn note_directed_to_host(
    presence: &mut Presence,
    cx: &Context<PresenceDelivery>,
) -> Result<(), StanzaError> {
    note_directed(presence, cx)
}

fn note_directed(presence: &Presence, cx: &Context<PresenceDelivery>) -> Result<(), StanzaError> {
    let (Some(to), Some(session)) = (presence.to(), presence.origin().session()) else {
        return Ok(());
    };
    let mut directed = cx.state().lock();
    match presence.type_().as_deref() {
        None => {
            let noted = directed.entry(session.id()).or_default();
            if noted.len() >= MAX_DIRECTED && !noted.contains(to) {
                return Err(StanzaError::resource_constraint()
                    .text("directed presence went to too many addresses"));
            }
            noted.insert(to.clone());
        }
        Some("unavailable") => {
            if let Some(noted) = directed.get_mut(&session.id()) {
                noted.remove(to);
            }
        }
        Some(_) => {}
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use event_core::testing::{self, Client, Harness};

    async fn server() -> Harness {
        testing::host("localhost").module("presence").start().await.unwrap()
    }

    /// `from` and `type` of what the client was sent.
    fn seen(client: &Client) -> Vec<(String, Option<String>)> {
        let attribute = |e: &event_core::xml::Element, name: &str| {
            e.attribute(name).map(|value| value.into_owned())
        };
        let received = client.received().into_iter();
        received.map(|e| (attribute(&e, "from").unwrap(), attribute(&e, "type"))).collect()
    }

    #[test]
    fn own_clients_see_each_other_come_and_go() {
        testing::run(async {
            let server = server().await;
            let (a, b) = ("romeo@localhost/a", "romeo@localhost/b");
            let first = server.session(a).await;
            let second = server.session(b).await;
            first.send("<presence/>").await;
            assert_eq!(seen(&first), [(a.into(), None)], "its own presence comes back");
            assert!(seen(&second).is_empty(), "not yet available");
            second.send("<presence/>").await;
            assert_eq!(seen(&first), [(b.into(), None)]);
            assert_eq!(seen(&second), [(b.into(), None), (a.into(), None)]);
            second.disconnect().await;
            assert_eq!(seen(&first), [(b.into(), Some("unavailable".into()))]);
        });
    }

    #[test]
    fn directed_presence_is_taken_back_when_the_client_is_gone() {
        testing::run(async {
            let server = server().await;
            let romeo = server.session("romeo@localhost/orchard").await;
            let juliet = server.session("juliet@localhost/balcony").await;
            let nurse = server.session("nurse@localhost/hall").await;
            for to in ["juliet@localhost/balcony", "nurse@localhost/hall"] {
                romeo.send(&format!("<presence to='{to}'/>")).await;
            }
            romeo.send("<presence type='unavailable' to='nurse@localhost/hall'/>").await;
            assert_eq!(seen(&nurse).len(), 2);
            romeo.disconnect().await;
            let from = "romeo@localhost/orchard".to_owned();
            assert_eq!(seen(&juliet), [(from.clone(), None), (from, Some("unavailable".into()))]);
            assert!(seen(&nurse).is_empty(), "told already");
        });
    }

    #[test]
    fn a_wrong_type_or_priority_is_a_bad_request() {
        testing::run(async {
            let server = server().await;
            let romeo = server.session("romeo@localhost/orchard").await;
            for presence in [
                "<presence type='subscribe'/>",
                "<presence type='away'/>",
                "<presence><priority>high</priority></presence>",
                "<presence><priority>128</priority></presence>",
            ] {
                romeo.send(presence).await;
                let refused = romeo.next().unwrap();
                let error = refused.children().last().unwrap();
                assert_eq!(error.first_child().unwrap().name(), "bad-request", "{presence}");
            }
            assert!(romeo.session.presence().is_none());
        });
    }
}
