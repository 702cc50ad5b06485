//! Streams between servers (RFC 6120): routing of stanzas to other servers, and negotiation.

pub mod dialback;
mod negotiation;

use std::sync::Arc;

use event_core::{
    ErrorType,
    prelude::*,
    services::{Federation, ServerFederation},
    xml::STREAM_NS,
};

/// Sends stanzas to other servers, and accepts stanzas from other servers. Other servers cannot
/// reach a host without this module, on no stream.
#[module(
    state = Offered,
    after = ["starttls", "saslauth", "dialback"],
    fires = [events::S2sInEstablished, events::S2sOutEstablished]
)]
pub struct S2s;

/// The offer of the server's federation to the modules of the host.
#[derive(Debug)]
pub struct Offered;

impl ModuleState<S2s> for Offered {
    async fn start(host: &HostContext, _: &S2s) -> Result<Self, StartError> {
        if let Some(server) = host.service::<ServerFederation>() {
            host.provide::<dyn Federation>(Arc::clone(&server.0));
        }
        Ok(Self)
    }
}

#[hook("route/remote", priority = -1)]
fn send(stanza: &mut Stanza, cx: &Context<S2s>) -> Result<Flow, StanzaError> {
    match federation(cx.host()) {
        Some(federation) => federation.send(stanza).map(|()| Flow::Handled),
        None => Ok(Flow::Continue),
    }
}

/// The service for streams to other servers, if the host exchanges stanzas with other servers.
pub(crate) fn federation(host: &Host) -> Option<Arc<dyn Federation>> {
    host.service::<dyn Federation>()
}

/// Ends the negotiation of a stream to another server. A retry would not help, so the error's type
/// is `cancel` (RFC 6120 §8.3.3.17).
pub(crate) fn refuse(session: &Session, reason: String) {
    let error = StanzaError::remote_server_timeout().with_type(ErrorType::Cancel).text(reason);
    match federation(session.host()) {
        Some(federation) => federation.fail_negotiation(session, error),
        None => session.close(None),
    }
}

/// Whether stream features have a child of this name and namespace.
pub(crate) fn offers(nonza: &Nonza, name: &str, namespace: &str) -> bool {
    debug_assert!(nonza.element.is("features", STREAM_NS));
    nonza.element.child(name, namespace).is_some()
}
