//! Broadcasts the presence of a client to all who may see it (RFC 6121 §4.2, §4.4, §4.5).

use chrono::{DateTime, SecondsFormat, Utc};
use event_core::{Available, Module, SessionState, jid::Jid, prelude::*, roster::Roster};

use super::{directed::Directed, presence_type::PresenceType};
use crate::{lookup, message::DeliveryPause, stanzas};

/// Handles presence without `to`.
pub(super) async fn handle_own(
    presence: &mut Presence,
    directed: &Directed,
    cx: &Context<impl Module>,
) -> Result<Flow, StanzaError> {
    let Some(session) = presence.origin().session().cloned() else { return Ok(Flow::Handled) };
    match PresenceType::of(presence)? {
        PresenceType::Available => become_available(presence, &session, directed, cx).await?,
        PresenceType::Unavailable => {
            reflect(presence.element(), &session);
            leave(&session, presence.element(), directed, cx).await;
        }
        PresenceType::Error => {}
        // Users may see all of their own clients.
        PresenceType::Probe => {
            for other in others(&session, cx.host()) {
                send_presence_of(&other, &session, cx);
            }
        }
        PresenceType::Subscription(_) => {
            let text = "a subscription must be to another account";
            return Err(StanzaError::bad_request().text(text));
        }
    }
    Ok(Flow::Handled)
}

async fn become_available(
    presence: &mut Presence,
    session: &Session,
    directed: &Directed,
    cx: &Context<impl Module>,
) -> Result<(), StanzaError> {
    let priority = priority(presence)?;
    let username = username(session);
    let roster = lookup::roster(&username, cx.host()).await?;
    let was = session.presence();
    reflect(presence.element(), session);
    broadcast(presence.element(), session, &roster, cx);
    if was.is_none() {
        cx.fire_stanza::<events::PresenceInitial>(presence).await?;
    }
    let presence = delayed(presence.element(), cx);
    // During the pause, the user's stored messages are sent. New messages follow.
    let _pause = DeliveryPause::new(session);
    session.set_presence(Some(Available { priority, presence }));
    if session.state() == SessionState::Ended {
        // The session was replaced in the meantime. All who got its presence must get unavailable
        // presence.
        if let Some(jid) = session.jid() {
            leave(session, &stanzas::unavailable(jid.as_str(), None), directed, cx).await;
        }
        return Ok(());
    }
    if was.is_none() {
        send_known_presence(session, &roster, cx).await;
    }
    let takes_messages = |priority: i8| priority >= 0;
    if takes_messages(priority) && !was.is_some_and(|was| takes_messages(was.priority)) {
        cx.fire(MessageOfflineBroadcast { session: session.clone() }).await;
    }
    Ok(())
}

/// Sends pending requests and the presence of other clients and contacts to a client that has
/// become available (RFC 6121 §4.2.2, §3.1.3).
async fn send_known_presence(session: &Session, roster: &Roster, cx: &Context<impl Module>) {
    let Some(jid) = session.jid() else { return };
    let requests = roster.contacts().filter_map(|contact| contact.request.clone());
    session.send_all(requests.collect()).await;
    for other in others(session, cx.host()) {
        send_presence_of(&other, session, cx);
    }
    let probe = ElementBuilder::new("presence", STANZA_NS)
        .attribute("from", jid.as_str())
        .attribute("type", "probe");
    let seen = roster.contacts().filter(|contact| contact.subscription.is_to());
    cx.send_to(&probe.build(), seen.map(|contact| contact.jid.clone()));
}

/// Sends a client's unavailable presence to all who got its available presence.
pub(super) async fn leave(
    session: &Session,
    unavailable: &Element,
    directed: &Directed,
    cx: &Context<impl Module>,
) {
    let mut directed = directed.take(session);
    if session.presence().is_some() {
        session.set_presence(None);
        match lookup::roster(&username(session), cx.host()).await {
            Ok(roster) => {
                broadcast(unavailable, session, &roster, cx);
                directed.retain(|to| !roster.may_see(&to.to_bare()));
            }
            // Without the roster, only the user's other clients and the recipients of directed
            // presence get the presence.
            Err(error) => {
                let user = session.jid().map(tracing::field::display);
                tracing::error!(%error, user, "cannot read the contacts that must get unavailable presence");
                broadcast(unavailable, session, &Roster::default(), cx);
            }
        }
    }
    cx.send_to(unavailable, directed);
}

/// Sends a client's presence to the user's other clients and to contacts with a subscription.
fn broadcast(presence: &Element, session: &Session, roster: &Roster, cx: &Context<impl Module>) {
    let others = others(session, cx.host());
    let others = others.iter().filter_map(|other| Some(Jid::from(other.jid()?.clone())));
    let watchers = roster.contacts().filter(|contact| contact.subscription.is_from());
    cx.send_to(presence, others.chain(watchers.map(|contact| contact.jid.clone().into())));
}

/// Sends a client its own presence (§4.2.2), before the stanzas that the presence causes.
fn reflect(presence: &Element, session: &Session) {
    if let Some(jid) = session.jid() {
        session.send_own(&presence.addressed_to(jid.as_str()));
    }
}

fn send_presence_of(other: &Session, to: &Session, cx: &Context<impl Module>) {
    if let (Some(theirs), Some(jid)) = (other.presence(), to.jid()) {
        cx.send_to(&theirs.presence, [jid.clone()]);
    }
}

/// The priority (RFC 6121 §4.7.2.3): an integer from -128 to 127, default 0.
fn priority(presence: &Presence) -> Result<i8, StanzaError> {
    match presence.child("priority", STANZA_NS) {
        None => Ok(0),
        Some(priority) => priority.text().trim().parse().map_err(|_| {
            StanzaError::bad_request().text("a priority must be an integer from -128 to 127")
        }),
    }
}

/// The presence for later recipients, with the time at which it was sent (XEP-0203).
fn delayed(presence: &Element, cx: &Context<impl Module>) -> Element {
    let stamp = DateTime::<Utc>::from(cx.now()).to_rfc3339_opts(SecondsFormat::Secs, true);
    let delay = ElementBuilder::new("delay", "urn:xmpp:delay")
        .attribute("from", cx.host().name())
        .attribute("stamp", &stamp);
    let mut presence = presence.clone();
    presence.push_child(&delay.build());
    presence
}

fn username(session: &Session) -> String {
    let node = session.user().and_then(|user| user.node());
    node.map(|node| node.as_str().to_owned()).unwrap_or_default()
}

/// The user's other available clients.
fn others(session: &Session, host: &Host) -> Vec<Session> {
    let mut others = host.sessions().of(&username(session));
    others.retain(|other| other != session && other.is_available());
    others
}
