//! Server Dialback (XEP-0220): a server sends a key for its domain, and the authoritative server of
//! the domain, found through DNS, confirms the key. Keys follow XEP-0185.
//!
//! Dialback is weaker than a certificate. So it is used only if the operator allows it and the
//! certificate does not prove the domain, and never without TLS.

use std::sync::{Arc, OnceLock};

use event_core::{
    ErrorType, SessionKind, jid::DomainPart, prelude::*, random_id, services::KeyCheck,
    services::KeyQuestion, xml::STANZA_NS,
};
use hmac::{Hmac, Mac};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use tokio::sync::watch;

use super::{federation, refuse};
use crate::hex;

/// The prefix of `jabber:server:dialback` in the headers of streams between servers.
const PREFIX: &str = "db";

/// The mechanism's name in event `s2s-authenticated`.
pub(super) const MECHANISM: &str = "dialback";

/// The maximum number of domains that one stream may authenticate.
const MAX_DOMAINS: usize = 256;

/// The maximum number of keys of one stream that are checked at the same time.
const MAX_PENDING: u32 = 16;

/// Authenticates the domains of servers with dialback where certificates do not prove the domains.
#[module(after = ["saslauth"], fires = [events::S2sAuthenticated])]
pub struct Dialback;

/// The mark in the slot of a session on which this host has sent a key.
struct KeySent;

/// The keys of a stream that are being checked.
struct Pending {
    count: u32,
    /// Dropped with the slot when the session ends, which ends the checks.
    open: watch::Sender<()>,
}

#[hook("s2s-stream-features")]
fn offer(event: &mut S2sStreamFeatures) {
    let session = &event.session;
    let claimed = session.claimed_domain().unwrap_or_default();
    let is_allowed = federation(session.host()).is_some_and(|all| all.allows_dialback(&claimed));
    // An authenticated server may add further domains of its certificate.
    if session.is_encrypted() && (is_allowed || session.is_established()) {
        let ns = "urn:xmpp:features:dialback";
        let errors = ElementBuilder::new("errors", ns).build();
        event.features.push(ElementBuilder::new("dialback", ns).child(&errors).build());
    }
}

/// Sends the key question for which this stream was opened.
#[hook("stanza/http://etherx.jabber.org/streams:features", priority = 400)]
fn send_question(nonza: &mut Nonza) -> Flow {
    let session = &nonza.session;
    session.with_slot(|check: &mut Option<KeyCheck>| {
        let Some(check) = check else { return Flow::Continue };
        let question = addressed("verify", session.host().name(), &remote(session));
        let question = question.attribute("id", &check.stream_id).text(&check.key);
        session.send_prefixed(PREFIX, &question.build());
        Flow::Handled
    })
}

/// Sends a key for this host, because no stronger mechanism was usable.
#[hook("stanza/http://etherx.jabber.org/streams:features", priority = 100)]
fn send_key(nonza: &mut Nonza) -> Flow {
    start(&nonza.session)
}

/// Sends a key after the other server refused this host's certificate.
#[hook("stanza/urn:ietf:params:xml:ns:xmpp-sasl:failure", priority = 100)]
fn send_key_after_sasl(nonza: &mut Nonza) -> Flow {
    start(&nonza.session)
}

fn start(session: &Session) -> Flow {
    let own = session.host().name();
    let is_allowed = federation(session.host()).is_some_and(|all| all.allows_dialback(own));
    let Some(id) = session.stream_id() else { return Flow::Continue };
    if session.kind() != SessionKind::S2sOut || !session.is_encrypted() || !is_allowed {
        return Flow::Continue;
    }
    if session.with_slot(|slot| slot.replace(KeySent).is_some()) {
        return Flow::Continue;
    }
    let (host, remote) = (session.host().name(), remote(session));
    let result = addressed("result", host, &remote).text(&key(&remote, host, &id));
    session.send_prefixed(PREFIX, &result.build());
    Flow::Handled
}

#[hook("stanza/jabber:server:dialback:result")]
async fn result(nonza: &mut Nonza, cx: &Context<Dialback>) -> Result<Flow, StreamError> {
    match nonza.session.kind() {
        SessionKind::S2sIn => receive(nonza, cx).map(|()| Flow::Handled),
        SessionKind::S2sOut => Ok(conclude(nonza, cx).await),
        _ => Ok(Flow::Continue),
    }
}

#[hook("stanza/jabber:server:dialback:verify")]
fn verify(nonza: &mut Nonza, cx: &Context<Dialback>) -> Result<Flow, StreamError> {
    match nonza.session.kind() {
        SessionKind::S2sIn => answer_question(nonza, cx).map(|()| Flow::Handled),
        SessionKind::S2sOut => Ok(take_answer(nonza)),
        _ => Ok(Flow::Continue),
    }
}

/// As the initiating server: handles the result for the key that this server sent.
async fn conclude(nonza: &Nonza, cx: &Context<Dialback>) -> Flow {
    let session = &nonza.session;
    let has_sent_key = session.with_slot(|slot: &mut Option<KeySent>| slot.is_some());
    if !has_sent_key || session.is_established() || !is_between(nonza) {
        return Flow::Continue;
    }
    let domain = remote(session);
    match nonza.element.attribute("type").as_deref() {
        Some("valid") => {
            announce(session, &domain, cx).await;
        }
        Some("error") => refuse(session, format!("{domain} refused: {}", condition(nonza))),
        _ => refuse(
            session,
            format!("{domain} does not accept this server as {}", session.host().name()),
        ),
    }
    Flow::Handled
}

/// As the receiving server: checks the key of another server, and answers.
fn receive(nonza: &Nonza, cx: &Context<Dialback>) -> Result<(), StreamError> {
    let session = nonza.session.clone();
    let (domain, to) = addresses(nonza)?;
    let send_error = |error: StanzaError| {
        let answer = addressed("result", &to, &domain).attribute("type", "error");
        session.send_prefixed(PREFIX, &answer.child(&error.to_element()).build());
        Ok(())
    };
    let (Some(host), Some(id)) = (federated_host(cx, &to), session.stream_id()) else {
        return send_error(StanzaError::item_not_found().text(format!("{to} is not served here")));
    };
    if cx.find_host(&domain).is_some() {
        let text = format!("{domain} is a domain of this server");
        return send_error(StanzaError::not_acceptable().text(text));
    }
    let too_many = || StanzaError::resource_constraint().text("too many domains on one stream");
    if session.authorized_domains().len() >= MAX_DOMAINS {
        return send_error(too_many());
    }
    let Some(mut open) = count_pending(&session) else { return send_error(too_many()) };
    let key = nonza.element.text().trim().to_owned();
    let server = cx.clone();
    cx.spawn(async move {
        let outcome = tokio::select! {
            outcome = check(&session, &host, &domain, &id, &key) => outcome,
            // The stream has ended, so nobody waits for the answer.
            _ = open.changed() => return,
        };
        session.with_slot(|slot: &mut Option<Pending>| {
            if let Some(Pending { count, .. }) = slot {
                *count = count.saturating_sub(1);
            }
        });
        let answer = addressed("result", &to, &domain);
        let answer = match &outcome {
            Ok(true) => {
                announce(&session, &domain, &server).await;
                // Module `s2s` has closed the stream if the domain is one that is served here.
                if !session.is_authorized(&domain) {
                    return;
                }
                answer.attribute("type", "valid")
            }
            Ok(false) => answer.attribute("type", "invalid"),
            Err(error) => answer.attribute("type", "error").child(&error.to_element()),
        };
        session.send_prefixed(PREFIX, &answer.build());
        if matches!(outcome, Ok(false)) {
            // XEP-0220 §2.1.1: an invalid key ends the stream.
            session.close(StreamError::not_authorized().text("the dialback key is invalid"));
        }
    });
    Ok(())
}

async fn announce(session: &Session, domain: &str, cx: &Context<Dialback>) {
    let host = cx.with_host(session.host());
    let (session, domain) = (session.clone(), domain.into());
    host.fire(S2sAuthenticated { session, domain, mechanism: MECHANISM }).await;
}

/// Counts a key that is about to be checked, and returns a receiver that fails when the session has
/// ended. `None` if too many keys are being checked.
fn count_pending(session: &Session) -> Option<watch::Receiver<()>> {
    session.with_slot(|slot: &mut Option<Pending>| {
        let new = || Pending { count: 0, open: watch::Sender::new(()) };
        let Pending { count, open } = slot.get_or_insert_with(new);
        if *count >= MAX_PENDING {
            return None;
        }
        *count += 1;
        Some(open.subscribe())
    })
}

/// The host of a domain, if other servers may reach it.
fn federated_host(cx: &Context<Dialback>, domain: &str) -> Option<Arc<Host>> {
    cx.host_context().core()?.federated_host(domain)
}

/// Whether the other server may use the domain. The certificate decides, or else the answer of the
/// authoritative server.
async fn check(
    session: &Session,
    host: &Arc<Host>,
    domain: &str,
    stream_id: &str,
    key: &str,
) -> Result<bool, StanzaError> {
    let federation = federation(session.host()).ok_or_else(StanzaError::service_unavailable)?;
    if session.is_authorized(domain) || federation.proves(session, domain).await {
        return Ok(true);
    }
    if !federation.allows_dialback(domain) {
        let text = format!("the certificate does not prove {domain}, and dialback is not allowed");
        return Err(StanzaError::policy_violation().with_type(ErrorType::Cancel).text(text));
    }
    let peer = session.peer();
    federation.verify(KeyQuestion { host, domain, stream_id, key, peer }).await
}

/// As the authoritative server: answers whether this server made a key.
fn answer_question(nonza: &Nonza, cx: &Context<Dialback>) -> Result<(), StreamError> {
    let session = &nonza.session;
    let (receiving, own) = addresses(nonza)?;
    let id = nonza.element.attribute("id").unwrap_or_default();
    let answer = addressed("verify", &own, &receiving).attribute("id", &id);
    let answer = if federated_host(cx, &own).is_none() {
        let error = StanzaError::item_not_found().text(format!("{own} is not served here"));
        answer.attribute("type", "error").child(&error.to_element())
    } else {
        let made = key(&receiving, &own, &id);
        let is_valid = made.as_bytes().ct_eq(nonza.element.text().trim().as_bytes());
        answer.attribute("type", if bool::from(is_valid) { "valid" } else { "invalid" })
    };
    session.send_prefixed(PREFIX, &answer.build());
    Ok(())
}

/// As the receiving server: takes the authoritative server's answer about a key.
fn take_answer(nonza: &Nonza) -> Flow {
    let session = &nonza.session;
    let check = session.with_slot(Option::<KeyCheck>::take);
    let id = nonza.element.attribute("id").unwrap_or_default();
    let Some(check) = check.filter(|check| *check.stream_id == *id && is_between(nonza)) else {
        return Flow::Continue;
    };
    match nonza.element.attribute("type").as_deref() {
        Some("valid") => check.answer(true),
        Some("invalid") => check.answer(false),
        // Dropping the check reports that there was no answer.
        _ => drop(check),
    }
    session.close(None);
    Flow::Handled
}

/// Whether an answer is from the remote domain of the stream to the host of the stream.
fn is_between(nonza: &Nonza) -> bool {
    let session = &nonza.session;
    addresses(nonza)
        .is_ok_and(|(from, to)| *from == *remote(session) && *to == *session.host().name())
}

/// The domains in `from` and `to`.
fn addresses(nonza: &Nonza) -> Result<(String, String), StreamError> {
    if !nonza.session.is_encrypted() {
        return Err(StreamError::policy_violation().text("begin with STARTTLS"));
    }
    let domain = |name| {
        let domain = nonza.element.attribute(name);
        let domain = domain.as_deref().and_then(|domain| DomainPart::new(domain).ok());
        domain.map(|domain| domain.as_str().to_owned()).ok_or_else(|| {
            StreamError::improper_addressing().text(format!("'{name}' must be a domain"))
        })
    };
    Ok((domain("from")?, domain("to")?))
}

fn addressed(name: &str, from: &str, to: &str) -> ElementBuilder {
    ElementBuilder::new(name, STANZA_NS).attribute("from", from).attribute("to", to)
}

fn remote(session: &Session) -> Box<str> {
    session.claimed_domain().unwrap_or_default()
}

/// The condition of an error, for an error text.
fn condition(nonza: &Nonza) -> String {
    let error = nonza.element.first_child();
    let condition = error.and_then(|error| error.first_child());
    condition.map_or_else(|| "no reason given".to_owned(), |condition| condition.name().to_owned())
}

/// A key as in XEP-0185: computed from a secret, so that the server need not store the key.
fn key(receiving: &str, originating: &str, stream_id: &str) -> String {
    static SECRET: OnceLock<String> = OnceLock::new();
    let secret = SECRET.get_or_init(|| format!("{}{}", random_id(), random_id()));
    key_with(secret, receiving, originating, stream_id)
}

fn key_with(secret: &str, receiving: &str, originating: &str, stream_id: &str) -> String {
    let secret = hex::encode(&Sha256::digest(secret));
    let text = format!("{receiving} {originating} {stream_id}");
    // This cannot fail, because HMAC takes keys of any length.
    let mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes());
    mac.map(|mac| hex::encode(&mac.chain_update(text).finalize().into_bytes())).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_of_the_specification() {
        // The example of XEP-0185.
        let key = key_with("s3cr3tf0rd14lb4ck", "xmpp.example.com", "example.org", "D60000229F");
        assert_eq!(key, "37c69b1cf07a3f67c04a5ef5902fa5114f2c76fe4a2686482ba5b89323075643");
    }
}
