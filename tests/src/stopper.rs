//! A module that stops events on request. An element with the id `stop EVENT` is handled at that
//! event, an element with `refuse EVENT` is refused, and one with `answer EVENT` is answered.

use event_core::{SessionState, prelude::*};

/// Stops events.
#[module]
struct Stopper;

/// The action that the id requests at this event.
#[derive(PartialEq)]
enum Asked {
    Stop,
    Refuse,
    Answer,
}

fn asked(id: Option<&str>, event: &str) -> Option<Asked> {
    let (verb, name) = id?.split_once(' ')?;
    if name != event {
        return None;
    }
    match verb {
        "stop" => Some(Asked::Stop),
        "refuse" => Some(Asked::Refuse),
        "answer" => Some(Asked::Answer),
        _ => None,
    }
}

/// The handlers run before the recorder, so that stopped events are not recorded.
macro_rules! stop {
    ($($name:literal $function:ident($type:ty);)*) => {$(
        #[hook($name, priority = 200)]
        fn $function(stanza: &mut $type) -> Result<Flow, StanzaError> {
            match asked(stanza.id().as_deref(), $name) {
                None => Ok(Flow::Continue),
                Some(Asked::Refuse) => Err(StanzaError::not_allowed().text("refused")),
                Some(_) => Ok(Flow::Handled),
            }
        }
    )*};
}

macro_rules! answer {
    ($($name:literal $function:ident;)*) => {$(
        #[hook($name, priority = 200)]
        fn $function(iq: &mut Iq, cx: &Context<Stopper>) -> Result<Flow, StanzaError> {
            match asked(iq.id().as_deref(), $name) {
                None => Ok(Flow::Continue),
                Some(Asked::Refuse) => Err(StanzaError::not_allowed().text("refused")),
                Some(Asked::Stop) => Ok(Flow::Handled),
                Some(Asked::Answer) => {
                    cx.answer_later(iq).reply();
                    Ok(Flow::Handled)
                }
            }
        }
    )*};
}

stop! {
    "pre-message/full" pre_message_full(Message);
    "pre-message/bare" pre_message_bare(Message);
    "pre-message/host" pre_message_host(Message);
    "pre-presence/full" pre_presence_full(Presence);
    "pre-presence/bare" pre_presence_bare(Presence);
    "pre-presence/host" pre_presence_host(Presence);
    "message/full" message_full(Message);
    "message/bare" message_bare(Message);
    "message/host" message_host(Message);
    "message/self" message_self(Message);
    "presence/full" presence_full(Presence);
    "presence/bare" presence_bare(Presence);
    "presence/host" presence_host(Presence);
    "presence/self" presence_self(Presence);
    "message/offline/handle" offline(Message);
    "message/bare/groupchat" groupchat(Message);
    "route/remote" remote(Stanza);
    "stanza/message" stanza_message(Message);
    "stanza/presence" stanza_presence(Presence);
}

answer! {
    "pre-iq/full" pre_iq_full;
    "pre-iq/bare" pre_iq_bare;
    "pre-iq/host" pre_iq_host;
    "iq/full" iq_full;
    "iq/bare" iq_bare;
    "iq/host" iq_host;
    "iq/self" iq_self;
    "iq/bare/jabber:iq:version:query" iq_bare_payload;
    "iq/host/jabber:iq:version:query" iq_host_payload;
    "iq/self/jabber:iq:version:query" iq_self_payload;
    "iq-get/bare/jabber:iq:version:query" iq_get_bare;
    "iq-get/host/jabber:iq:version:query" iq_get_host;
    "iq-get/self/jabber:iq:version:query" iq_get_self;
    "iq-set/bare/jabber:iq:private:query" iq_set_bare;
    "iq-set/host/jabber:iq:private:query" iq_set_host;
    "iq-set/self/jabber:iq:private:query" iq_set_self;
    "stanza/iq/urn:test:stop:query" stanza_iq;
}

/// The id of an answer is part of the event's name, so the payload requests the stop.
macro_rules! consume {
    ($($name:literal $function:ident;)*) => {$(
        #[hook($name, priority = 200)]
        fn $function(iq: &Iq) -> Flow {
            match iq.child("stop", "urn:test:stop") {
                Some(_) => Flow::Handled,
                None => Flow::Continue,
            }
        }
    )*};
}

consume! {
    "iq-result/host/recorded" iq_result_host;
    "iq-result/bare/recorded" iq_result_bare;
    "iq-result/self/recorded" iq_result_self;
    "iq-error/host/recorded" iq_error_host;
    "iq-error/bare/recorded" iq_error_bare;
    "iq-error/self/recorded" iq_error_self;
}

#[hook("stanza/urn:test:stop:element", priority = 200)]
fn element(nonza: &mut Nonza) -> Result<Flow, StreamError> {
    match asked(nonza.element.attribute("id").as_deref(), "stanza/urn:test:stop:element") {
        None => Ok(Flow::Continue),
        Some(Asked::Refuse) => Err(StreamError::policy_violation().text("refused")),
        Some(_) => Ok(Flow::Handled),
    }
}

/// Keeps a session on the resource `kept` when its stream ends.
#[hook("pre-resource-unbind", priority = 200)]
fn keep(unbind: &mut PreResourceUnbind) -> Flow {
    let jid = unbind.session.jid();
    let is_kept = jid.is_some_and(|jid| jid.resource().as_str() == "kept");
    if is_kept && unbind.session.state() == SessionState::Connected {
        Flow::Handled
    } else {
        Flow::Continue
    }
}

/// Refuses the resource `refused` and replaces `other` by `another`.
#[hook("pre-resource-bind", priority = 200)]
fn bind(bind: &mut PreResourceBind) -> Flow {
    match bind.resource.as_deref() {
        Some("refused") => {
            bind.error = Some(StanzaError::conflict().text("refused"));
            Flow::Handled
        }
        Some("other") => {
            bind.resource = Some("another".into());
            Flow::Continue
        }
        _ => Flow::Continue,
    }
}

/// Refuses SCRAM-SHA-512.
#[hook("authentication-attempt", priority = 200)]
fn attempt(attempt: &mut AuthenticationAttempt) -> Flow {
    if &*attempt.mechanism == "SCRAM-SHA-512" {
        attempt.condition = "temporary-auth-failure";
        attempt.text = Some("refused".into());
        return Flow::Handled;
    }
    Flow::Continue
}

/// Prevents the delivery of offline messages to the resource `deaf`.
#[hook("message/offline/broadcast", priority = 200)]
fn keep_stored(kept: &mut MessageOfflineBroadcast) -> Flow {
    let jid = kept.session.jid();
    match jid.is_some_and(|jid| jid.resource().as_str() == "deaf") {
        true => Flow::Handled,
        false => Flow::Continue,
    }
}
