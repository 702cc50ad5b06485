//! STARTTLS (RFC 6120 §5).

use event_core::{SessionKind, prelude::*};

use crate::s2s;

const NS: &str = "urn:ietf:params:xml:ns:xmpp-tls";

/// Upgrades streams to TLS. Streams between servers require TLS (RFC 7590 §3.4).
#[module]
pub struct Starttls;

#[hook("stream-features")]
fn offer(event: &mut StreamFeatures, cx: &Context<Starttls>) {
    if is_possible(&event.session) {
        event.features.push(feature(!cx.host().settings().allow_plaintext));
    }
}

#[hook("s2s-stream-features")]
fn offer_to_server(event: &mut S2sStreamFeatures) {
    if is_possible(&event.session) {
        event.features.push(feature(true));
    }
}

fn feature(is_required: bool) -> Element {
    let mut feature = ElementBuilder::new("starttls", NS);
    if is_required {
        feature = feature.child(&ElementBuilder::new("required", NS).build());
    }
    feature.build()
}

#[hook("stanza/urn:ietf:params:xml:ns:xmpp-tls:starttls")]
fn start(nonza: &mut Nonza) -> Flow {
    let session = &nonza.session;
    if session.kind() == SessionKind::S2sOut {
        return Flow::Continue;
    }
    if is_possible(session) {
        session.send_nonza(&ElementBuilder::new("proceed", NS).build());
        session.start_tls();
    } else {
        session.send_nonza(&ElementBuilder::new("failure", NS).build());
        session.close(None);
    }
    Flow::Handled
}

#[hook("stanza/http://etherx.jabber.org/streams:features", priority = 500)]
fn request(nonza: &mut Nonza) -> Flow {
    let session = &nonza.session;
    if session.kind() != SessionKind::S2sOut || session.is_encrypted() {
        return Flow::Continue;
    }
    if s2s::offers(nonza, "starttls", NS) {
        session.send_nonza(&ElementBuilder::new("starttls", NS).build());
    } else {
        refuse_without_tls(session);
    }
    Flow::Handled
}

#[hook("stanza/urn:ietf:params:xml:ns:xmpp-tls:proceed")]
fn proceed(nonza: &mut Nonza) -> Flow {
    let session = &nonza.session;
    if session.kind() != SessionKind::S2sOut || session.is_encrypted() {
        return Flow::Continue;
    }
    session.start_tls();
    Flow::Handled
}

#[hook("stanza/urn:ietf:params:xml:ns:xmpp-tls:failure")]
fn give_up(nonza: &mut Nonza) -> Flow {
    if nonza.session.kind() != SessionKind::S2sOut {
        return Flow::Continue;
    }
    refuse_without_tls(&nonza.session);
    Flow::Handled
}

fn refuse_without_tls(session: &Session) {
    let remote = session.claimed_domain().unwrap_or_default();
    s2s::refuse(session, format!("{remote} does not support TLS, which this server requires"));
}

/// TLS is offered once, before authentication.
fn is_possible(session: &Session) -> bool {
    !session.is_encrypted()
        && session.can_start_tls()
        && session.user().is_none()
        && !session.is_established()
}
