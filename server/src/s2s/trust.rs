//! What the certificates of other servers are judged by, which a reload replaces, and the log of the
//! judgements.

use std::{sync::Arc, time::SystemTime};

use arc_swap::ArcSwap;
use event_core::{Core, HostContext, Session, SessionKind, events};

use super::certificate::Authorities;

/// The most domains of one stream that the log names. A stranger chooses the domains.
const MAX_LOGGED: usize = 16;

/// See the [module](self).
#[derive(Debug)]
pub(crate) struct Trust(ArcSwap<Authorities>);

/// The domains of a stream whose refusal is in the log, in a slot of the session: the certificate is
/// judged several times.
struct Logged(Vec<Box<str>>);

impl Trust {
    pub(super) fn new(authorities: Authorities) -> Self {
        Self(ArcSwap::from_pointee(authorities))
    }

    /// Replaces the authorities, pins and lists, for the streams that are not authenticated yet.
    /// Returns whether they have changed.
    pub(crate) fn replace(&self, authorities: Authorities) -> bool {
        let old = self.0.swap(Arc::new(authorities));
        !old.is_same(&self.0.load())
    }

    /// Whether a domain has pins, so that nothing else proves it.
    pub(super) fn has_pins(&self, domain: &str) -> bool {
        self.0.load().has_pins(domain)
    }

    /// Judges the certificate of a stream, and lets the modules judge it. A refusal is logged.
    pub(super) async fn proves(
        &self,
        core: &Arc<Core>,
        session: &Session,
        domain: &str,
        allows_dialback: bool,
    ) -> bool {
        let chain = session.peer_certificates();
        let judged = self.0.load().judge(&chain, domain, SystemTime::now());
        let event = events::S2sCheckCertificate {
            session: session.clone(),
            domain: domain.into(),
            chain,
            is_trusted: judged.is_trusted(),
            is_match: judged.is_match,
        };
        let event = HostContext::new(core, session.host()).fire(event).await.event;
        let is_proved = event.is_trusted && event.is_match;
        if !is_proved && is_new(session, domain) {
            tracing::info!(
                domain,
                peer = session.peer().map(tracing::field::display),
                direction = if session.kind() == SessionKind::S2sIn { "in" } else { "out" },
                reason = judged.reason(&event.chain),
                dialback = allows_dialback,
                "the certificate does not prove the domain"
            );
        }
        is_proved
    }
}

/// Whether the refusal of a domain is not in the log yet.
fn is_new(session: &Session, domain: &str) -> bool {
    session.with_slot(|slot: &mut Option<Logged>| {
        let Logged(domains) = slot.get_or_insert_with(|| Logged(Vec::new()));
        let is_new = domains.len() < MAX_LOGGED && !domains.iter().any(|other| **other == *domain);
        if is_new {
            domains.push(domain.into());
        }
        is_new
    })
}
