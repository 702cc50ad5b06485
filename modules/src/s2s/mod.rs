//! Other servers (RFC 6120): what goes to them, and what a negotiated stream means.

pub mod dialback;
mod negotiation;

use std::sync::Arc;

use event_core::{prelude::*, services::Federation, xml::STREAM_NS};

/// Sends stanzas to other servers, and takes theirs.
#[module(after = ["starttls", "saslauth", "dialback"])]
pub struct S2s;

#[hook("route/remote", priority = -1)]
fn send(stanza: &mut Stanza, cx: &Context<S2s>) -> Result<Flow, StanzaError> {
    match federation(cx.host()) {
        Some(federation) => federation.send(stanza).map(|()| Flow::Handled),
        None => Ok(Flow::Continue),
    }
}

/// What brings stanzas to other servers, on hosts that have it.
pub(crate) fn federation(host: &Host) -> Option<Arc<dyn Federation>> {
    host.service::<dyn Federation>()
}

/// A stream to another server leads to nothing, and trying again would not help (RFC 6120
/// §8.3.3.17).
pub(crate) fn refused(session: &Session, reason: String) {
    use event_core::ErrorType;
    let error = StanzaError::remote_server_timeout().with_type(ErrorType::Cancel).text(reason);
    match federation(session.host()) {
        Some(federation) => federation.refused(session, error),
        None => session.close(None),
    }
}

/// Whether the features of a stream to another server have a child.
pub(crate) fn offers(nonza: &Nonza, name: &str, namespace: &str) -> bool {
    debug_assert!(nonza.element.is("features", STREAM_NS));
    nonza.element.child(name, namespace).is_some()
}
