//! SASL EXTERNAL between servers (RFC 6120 §13.7, XEP-0178): the TLS certificate proves the domain.

use base64::Engine;
use event_core::{SessionKind, jid::DomainPart, prelude::*};

use super::{Failure, NS, SaslCondition, Saslauth, count, decode, element, fail};
use crate::s2s::federation;

const MECHANISM: &str = "EXTERNAL";

/// The mark in the slot of a session on which this server has tried EXTERNAL.
struct Tried;

#[hook("s2s-stream-features")]
async fn offer(event: &mut S2sStreamFeatures) {
    let session = &event.session;
    if session.is_established() {
        return;
    }
    let Some(domain) = session.claimed_domain() else { return };
    if proves(session, &domain).await {
        let name = ElementBuilder::new("mechanism", NS).text(MECHANISM).build();
        event.features.push(ElementBuilder::new("mechanisms", NS).child(&name).build());
    }
}

#[hook("stanza/urn:ietf:params:xml:ns:xmpp-sasl:auth", priority = 10)]
async fn auth(nonza: &mut Nonza, cx: &Context<Saslauth>) -> Result<Flow, StreamError> {
    let session = &nonza.session;
    if session.kind() != SessionKind::S2sIn {
        return Ok(Flow::Continue);
    }
    if session.is_established() {
        return Err(StreamError::policy_violation().text("the stream is already authenticated"));
    }
    count(session)?;
    match read(nonza) {
        Ok(domain) if proves(session, &domain).await => {
            let event = S2sAuthenticated {
                session: session.clone(),
                domain: domain.as_str().into(),
                mechanism: MECHANISM,
            };
            cx.with_host(session.host()).fire(event).await;
            // Module `s2s` has closed the stream if the domain is one that is served here.
            if !session.is_authorized(&domain) {
                return Ok(Flow::Handled);
            }
            nonza.session.send_nonza(&element("success", None));
            nonza.session.restart();
            Ok(Flow::Handled)
        }
        Ok(_) => {
            let text = "the certificate does not prove the domain";
            fail(Failure::new(SaslCondition::NotAuthorized, text), session, cx).await
        }
        Err(failure) => fail(failure, session, cx).await,
    }
}

/// The domain that the other server requests: the authorization identity, or else the `from` of the
/// stream header.
fn read(nonza: &Nonza) -> Result<String, Failure> {
    if nonza.element.attribute("mechanism").as_deref() != Some(MECHANISM) {
        let text = "only EXTERNAL is available between servers";
        return Err(Failure::new(SaslCondition::InvalidMechanism, text));
    }
    let invalid = |text| Failure::new(SaslCondition::InvalidAuthzid, text);
    let requested = decode(&nonza.element.text())?;
    let requested =
        std::str::from_utf8(&requested).map_err(|_| invalid("the identity is not UTF-8"))?;
    let claimed = nonza.session.claimed_domain();
    if requested.is_empty() {
        return claimed
            .map(String::from)
            .ok_or(invalid("neither a 'from' nor an identity was given"));
    }
    let domain = DomainPart::new(requested).map_err(|_| invalid("the identity is not a domain"))?;
    // A stream has one domain at first; dialback can add others.
    match claimed {
        Some(claimed) if *claimed != *domain.as_str() => {
            Err(invalid("the identity differs from the 'from' of the stream header"))
        }
        _ => Ok(domain.as_str().to_owned()),
    }
}

async fn proves(session: &Session, domain: &str) -> bool {
    match federation(session.host()) {
        Some(federation) if session.is_encrypted() => federation.proves(session, domain).await,
        _ => false,
    }
}

#[hook("stanza/http://etherx.jabber.org/streams:features", priority = 150)]
fn start(nonza: &mut Nonza) -> Flow {
    let session = &nonza.session;
    if session.kind() != SessionKind::S2sOut || !session.is_encrypted() {
        return Flow::Continue;
    }
    let is_offered = nonza.element.child("mechanisms", NS).is_some_and(|mechanisms| {
        mechanisms.children().any(|mechanism| mechanism.text().trim() == MECHANISM)
    });
    if !is_offered || session.with_slot(|slot| slot.replace(Tried).is_some()) {
        return Flow::Continue;
    }
    let identity = super::BASE64.encode(session.host().name());
    let auth = ElementBuilder::new("auth", NS).attribute("mechanism", MECHANISM).text(&identity);
    session.send_nonza(&auth.build());
    Flow::Handled
}

#[hook("stanza/urn:ietf:params:xml:ns:xmpp-sasl:success")]
async fn finish(nonza: &mut Nonza, cx: &Context<Saslauth>) -> Flow {
    let session = &nonza.session;
    let has_tried = session.with_slot(|slot: &mut Option<Tried>| slot.is_some());
    if session.kind() != SessionKind::S2sOut || session.is_established() || !has_tried {
        return Flow::Continue;
    }
    let domain = session.claimed_domain().unwrap_or_default();
    session.restart();
    let session = session.clone();
    let host = cx.with_host(nonza.session.host());
    host.fire(S2sAuthenticated { session, domain, mechanism: MECHANISM }).await;
    Flow::Handled
}
