//! What is done on streams between servers until they are established.
//!
//! On a stream to another server its features are answered by a ladder: module `s2s` itself first
//! (1000), where a domain is proved already; then `starttls` (500), a look at the certificate (450),
//! a dialback question (400), `saslauth` (150), `dialback` (100); what nobody could use ends the
//! stream (-100).

use event_core::{SessionKind, prelude::*};

use super::{S2s, dialback, federation, refused};

/// Who can prove nothing need not go on: without dialback there is only the certificate.
#[hook("s2s-stream-features", priority = -1000)]
async fn demand_proof(event: &mut S2sStreamFeatures) {
    let session = &event.session;
    let Some(federation) = federation(session.host()) else { return };
    if !session.is_encrypted() || session.is_established() || federation.allows_dialback() {
        return;
    }
    let text = match session.claimed_domain() {
        Some(domain) if federation.proves(session, &domain).await => return,
        Some(domain) => format!("the certificate does not prove {domain}"),
        None => "the stream needs a 'from'".to_owned(),
    };
    session.close(StreamError::not_authorized().text(text));
}

#[hook("stanza/http://etherx.jabber.org/streams:features", priority = 1000)]
fn begin(nonza: &mut Nonza) -> Flow {
    let session = &nonza.session;
    if session.kind() != SessionKind::S2sOut || !session.is_established() {
        return Flow::Continue;
    }
    if let Some(federation) = federation(session.host()) {
        federation.established(session);
    }
    Flow::Handled
}

/// Without dialback, what is sent goes only to who proves to be the domain.
#[hook("stanza/http://etherx.jabber.org/streams:features", priority = 450)]
async fn doubt(nonza: &mut Nonza) -> Flow {
    let session = &nonza.session;
    let Some(federation) = federation(session.host()) else { return Flow::Continue };
    if session.kind() != SessionKind::S2sOut || federation.allows_dialback() {
        return Flow::Continue;
    }
    let domain = session.claimed_domain().unwrap_or_default();
    if federation.proves(session, &domain).await {
        return Flow::Continue;
    }
    refuse(nonza, "its certificate does not prove the name")
}

#[hook("stanza/http://etherx.jabber.org/streams:features", priority = -100)]
fn give_up(nonza: &mut Nonza) -> Flow {
    refuse(nonza, "it offers no way for this server to prove its name")
}

#[hook("stanza/urn:ietf:params:xml:ns:xmpp-sasl:failure", priority = -100)]
fn give_up_after_sasl(nonza: &mut Nonza) -> Flow {
    refuse(nonza, "it does not believe this server's certificate")
}

fn refuse(nonza: &Nonza, reason: &str) -> Flow {
    let session = &nonza.session;
    if session.kind() != SessionKind::S2sOut {
        return Flow::Continue;
    }
    let remote = session.claimed_domain().unwrap_or_default();
    refused(session, format!("{remote}: {reason}"));
    Flow::Handled
}

/// A domain is proved, in whatever way.
#[hook("s2s-authenticated")]
async fn authenticated(event: &S2sAuthenticated, cx: &Context<S2s>) {
    let (session, domain) = (&event.session, &event.domain);
    if !session.authorize(domain) {
        return;
    }
    let (session, domain) = (session.clone(), domain.clone());
    if session.kind() == SessionKind::S2sIn {
        cx.fire(S2sInEstablished { session, domain }).await;
        return;
    }
    cx.fire(S2sOutEstablished { session: session.clone(), domain }).await;
    // With SASL the stream begins anew, and is ready with its features.
    if event.mechanism == dialback::MECHANISM
        && let Some(federation) = federation(cx.host())
    {
        federation.established(&session);
    }
}
