//! Negotiation of streams between servers, until they are established.
//!
//! On an outgoing stream, handlers answer the features of the other server in this order: `s2s` if
//! the domain is already authenticated (1000), `starttls` (500), the check of the certificate
//! (450), a dialback key question (400), SASL EXTERNAL (150), dialback (100). A stream without a
//! usable feature is ended (-100).

use event_core::{SessionKind, prelude::*};

use super::{S2s, dialback, federation};

/// Ends an incoming stream that cannot authenticate: dialback is not allowed and the certificate
/// does not prove the domain.
#[hook("s2s-stream-features", priority = -1000)]
async fn require_proof(event: &mut S2sStreamFeatures) {
    let session = &event.session;
    let Some(federation) = federation(session.host()) else { return };
    let claimed = session.claimed_domain();
    let allows_dialback = federation.allows_dialback(claimed.as_deref().unwrap_or_default());
    if !session.is_encrypted() || session.is_established() || allows_dialback {
        return;
    }
    let text = match claimed {
        Some(domain) if federation.proves(session, &domain).await => return,
        Some(domain) => format!("the certificate does not prove {domain}"),
        None => "the stream header needs a 'from'".to_owned(),
    };
    session.close(StreamError::not_authorized().text(text));
}

/// Reports an authenticated outgoing stream as established.
#[hook("stanza/http://etherx.jabber.org/streams:features", priority = 1000)]
fn finish(nonza: &mut Nonza) -> Flow {
    let session = &nonza.session;
    if session.kind() != SessionKind::S2sOut || !session.is_established() {
        return Flow::Continue;
    }
    if let Some(federation) = federation(session.host()) {
        federation.complete_negotiation(session);
    }
    Flow::Handled
}

/// Ends an outgoing stream if dialback is not allowed and the certificate does not prove the domain.
#[hook("stanza/http://etherx.jabber.org/streams:features", priority = 450)]
async fn check_certificate(nonza: &mut Nonza) -> Flow {
    let session = &nonza.session;
    let Some(federation) = federation(session.host()) else { return Flow::Continue };
    let domain = session.claimed_domain().unwrap_or_default();
    if session.kind() != SessionKind::S2sOut || federation.allows_dialback(&domain) {
        return Flow::Continue;
    }
    if federation.proves(session, &domain).await {
        return Flow::Continue;
    }
    give_up_on(nonza, "the server's certificate does not prove the domain")
}

/// Ends an outgoing stream whose features no handler could use.
#[hook("stanza/http://etherx.jabber.org/streams:features", priority = -100)]
fn give_up(nonza: &mut Nonza) -> Flow {
    give_up_on(nonza, "the server offers no mechanism that this server can use")
}

#[hook("stanza/urn:ietf:params:xml:ns:xmpp-sasl:failure", priority = -100)]
fn give_up_after_sasl(nonza: &mut Nonza) -> Flow {
    give_up_on(nonza, "the server does not accept the certificate of this server")
}

fn give_up_on(nonza: &Nonza, reason: &str) -> Flow {
    let session = &nonza.session;
    if session.kind() != SessionKind::S2sOut {
        return Flow::Continue;
    }
    let remote = session.claimed_domain().unwrap_or_default();
    super::refuse(session, format!("{remote}: {reason}"));
    Flow::Handled
}

/// Authorizes the authenticated domain on the stream, whichever mechanism has proved the domain.
#[hook("s2s-authenticated")]
async fn authorize(event: &S2sAuthenticated, cx: &Context<S2s>) {
    let (session, domain) = (&event.session, &event.domain);
    let Some(core) = cx.host_context().core() else { return };
    match core.authorize(session, domain) {
        Ok(true) => {}
        Ok(false) => return,
        Err(error) => {
            let (mechanism, peer) = (event.mechanism, session.peer().map(tracing::field::display));
            tracing::warn!(%domain, mechanism, peer, "another server claims a domain of this one");
            session.close(error);
            return;
        }
    }
    let (session, domain) = (session.clone(), domain.clone());
    if session.kind() == SessionKind::S2sIn {
        cx.fire(S2sInEstablished { session: session.clone(), domain }).await;
        if let Some(federation) = federation(cx.host()) {
            federation.complete_negotiation(&session);
        }
        return;
    }
    cx.fire(S2sOutEstablished { session: session.clone(), domain }).await;
    // After SASL, the stream is restarted, and the next features complete the negotiation. After
    // dialback, no features follow.
    if event.mechanism == dialback::MECHANISM
        && let Some(federation) = federation(cx.host())
    {
        federation.complete_negotiation(&session);
    }
}
