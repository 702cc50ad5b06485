//! A client's own presence goes to whoever may see it (RFC 6121 §4.2, §4.4, §4.5).

use chrono::{DateTime, SecondsFormat, Utc};
use event_core::{Available, Module, SessionState, jid::Jid, prelude::*, roster::Roster};

use super::{
    directed::Directed,
    presence_type::{Kind, kind},
    stanzas::roster,
};
use crate::message::Hold;

/// What a client sends to nobody in particular, or to its own account.
pub(super) async fn own(
    presence: &mut Presence,
    directed: &Directed,
    cx: &Context<impl Module>,
) -> Result<Flow, StanzaError> {
    let Some(session) = presence.origin().session().cloned() else { return Ok(Flow::Handled) };
    match kind(presence)? {
        Kind::Available => available(presence, &session, directed, cx).await?,
        Kind::Unavailable => {
            reflect(presence.element(), &session);
            leave(&session, presence.element(), directed, cx).await;
        }
        Kind::Error => {}
        // A user may see all of the user's own clients.
        Kind::Probe => {
            for other in others(&session, cx.host()) {
                introduce(&other, &session, cx);
            }
        }
        Kind::Subscription(_) => {
            let text = "a subscription is to somebody else's presence";
            return Err(StanzaError::bad_request().text(text));
        }
    }
    Ok(Flow::Handled)
}

async fn available(
    presence: &mut Presence,
    session: &Session,
    directed: &Directed,
    cx: &Context<impl Module>,
) -> Result<(), StanzaError> {
    let priority = priority(presence)?;
    let username = username(session);
    let roster = roster(&username, cx.host()).await?;
    let was = session.presence();
    reflect(presence.element(), session);
    spread(presence.element(), session, &roster, cx);
    if was.is_none() {
        cx.host().fire_stanza::<events::PresenceInitial>(presence).await?;
    }
    let presence = delayed(presence.element(), cx);
    // What was kept for the user goes before what comes from now on.
    let _hold = Hold::new(session);
    session.set_presence(Some(Available { priority, presence }));
    if session.state() == SessionState::Ended {
        // It was replaced meanwhile; who just heard of it has to hear of its end, too.
        if let Some(jid) = session.jid() {
            let unavailable = ElementBuilder::new("presence", STANZA_NS)
                .attribute("from", jid.as_str())
                .attribute("type", "unavailable");
            leave(session, &unavailable.build(), directed, cx).await;
        }
        return Ok(());
    }
    if was.is_none() {
        meet(session, &roster, cx);
    }
    let takes_messages = |priority: i8| priority >= 0;
    if takes_messages(priority) && !was.is_some_and(|was| takes_messages(was.priority)) {
        cx.fire(MessageOfflineBroadcast { session: session.clone() }).await;
    }
    Ok(())
}

/// A client that has just come is told who is there and what waits (RFC 6121 §4.2.2, §3.1.3).
fn meet(session: &Session, roster: &Roster, cx: &Context<impl Module>) {
    let Some(jid) = session.jid() else { return };
    for request in roster.contacts().filter_map(|contact| contact.request.as_ref()) {
        session.send(request);
    }
    for other in others(session, cx.host()) {
        introduce(&other, session, cx);
    }
    let probe = ElementBuilder::new("presence", STANZA_NS)
        .attribute("from", jid.as_str())
        .attribute("type", "probe");
    let seen = roster.contacts().filter(|contact| contact.subscription.is_to());
    cx.send_to(&probe.build(), seen.map(|contact| contact.jid.clone()));
}

/// Tells everybody who saw the client that it is gone.
pub(super) async fn leave(
    session: &Session,
    unavailable: &Element,
    directed: &Directed,
    cx: &Context<impl Module>,
) {
    let mut directed = directed.take(session);
    if session.presence().is_some() {
        session.set_presence(None);
        match roster(&username(session), cx.host()).await {
            Ok(roster) => {
                spread(unavailable, session, &roster, cx);
                directed.retain(|to| !roster.may_see(&to.to_bare()));
            }
            // The clients of the user and whoever is known otherwise can still be told.
            Err(error) => {
                tracing::error!(%error, ?session, "the contacts could not be told of its end");
                spread(unavailable, session, &Roster::default(), cx);
            }
        }
    }
    cx.send_to(unavailable, directed);
}

/// Sends a client's presence to the user's other clients and to the contacts who may see it.
fn spread(presence: &Element, session: &Session, roster: &Roster, cx: &Context<impl Module>) {
    let others = others(session, cx.host());
    let others = others.iter().filter_map(|other| Some(Jid::from(other.jid()?.clone())));
    let watchers = roster.contacts().filter(|contact| contact.subscription.is_from());
    cx.send_to(presence, others.chain(watchers.map(|contact| contact.jid.clone().into())));
}

/// A client's presence comes back to it (§4.2.2), before all that it causes.
fn reflect(presence: &Element, session: &Session) {
    if let Some(jid) = session.jid() {
        session.send(&presence.addressed_to(jid.as_str()));
    }
}

fn introduce(other: &Session, to: &Session, cx: &Context<impl Module>) {
    if let (Some(theirs), Some(jid)) = (other.presence(), to.jid()) {
        cx.send_to(&theirs.presence, [jid.clone()]);
    }
}

/// RFC 6121 §4.7.2.3: an integer from -128 to 127, 0 when there is none.
fn priority(presence: &Presence) -> Result<i8, StanzaError> {
    match presence.child("priority", STANZA_NS) {
        None => Ok(0),
        Some(priority) => priority
            .text()
            .trim()
            .parse()
            .map_err(|_| StanzaError::bad_request().text("a priority is from -128 to 127")),
    }
}

/// The presence as it is told later: with the time it is from (XEP-0203).
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
