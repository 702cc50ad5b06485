//! STARTTLS (RFC 6120 §5).
use event_core::prelude::*;

const NS: &str = "urn:ietf:params:xml:ns:xmpp-tls";

/// Takes plain streams to TLS.
#[module]
pub struct Starttls;

#[hook("stream-features")]
fn offer(event: &mut StreamFeatures, cx: &Context<Starttls>) {
    if is_possible(&event.session) {
        let mut feature = ElementBuilder::new("starttls", NS);
        if !cx.host().settings().allow_plaintext {
            feature = feature.child(&ElementBuilder::new("required", NS).build());
        }
        event.features.push(feature.build());
    }
}

#[hook("stanza/urn:ietf:params:xml:ns:xmpp-tls:starttls")]
fn start(nonza: &mut Nonza) -> Flow {
    let session = &nonza.session;
    if is_possible(session) {
        session.send_nonza(&ElementBuilder::new("proceed", NS).build());
        session.start_tls();
    } else {
        session.send_nonza(&ElementBuilder::new("failure", NS).build());
        session.close(None);
    }
    Flow::Handled
}

/// TLS comes before all else, and once.
fn is_possible(session: &Session) -> bool {
    !session.is_encrypted() && session.can_start_tls() && session.user().is_none()
}
