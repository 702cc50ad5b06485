//! Federation as a service for modules.

use std::{
    net::IpAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use event_core::{
    BoxFuture, Session, SessionKind, Stanza, StanzaError,
    rate::subscriber,
    services::{self, KeyCheck, KeyQuestion},
};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::timeout,
};

use super::{
    certificate::Authorities,
    connect::unreachable,
    dial::{NoStream, Purpose, report},
    pairs::Pairs,
    payer::is_answer,
    shares::Shares,
    trust::Trust,
};
use crate::{config::S2s, net::limiter::OutgoingFiles, stream::Streams};

/// The time limit of the check of a dialback key.
const CHECK: Duration = Duration::from_secs(30);
/// The number of keys from one address that are checked at once. The others wait.
const CHECKS: usize = 8;

/// All streams to other servers, and their queues.
#[derive(Debug)]
pub struct Federation {
    trust: Trust,
    dialback: bool,
    pairs: Arc<Pairs>,
    checks: Checks,
    is_stopping: AtomicBool,
}

impl Federation {
    /// Federation with the settings of `[s2s]`, which may use these files.
    pub fn new(config: &S2s, authorities: Authorities, files: OutgoingFiles) -> Arc<Self> {
        Arc::new(Self {
            trust: Trust::new(authorities),
            dialback: config.dialback,
            pairs: Arc::new(Pairs::new(config, files)),
            checks: Checks::new(files.checks),
            is_stopping: AtomicBool::new(false),
        })
    }

    /// What the certificates of other servers are judged by.
    pub(crate) fn trust(&self) -> &Trust {
        &self.trust
    }

    /// Allows streams to be opened.
    pub fn open(&self, streams: &Arc<Streams>) {
        self.pairs.open(streams);
    }

    /// The number of active pairs of domains, and the number of their stanzas that wait or are not
    /// confirmed.
    pub(crate) fn queued(&self) -> (usize, usize) {
        self.pairs.queued()
    }

    /// From now on accepts only answers, and waits until all accepted stanzas are confirmed, for at
    /// most `limit`. Streams from other servers must still be open, because answers to pings arrive
    /// on them.
    pub async fn settle(&self, limit: Duration) {
        self.is_stopping.store(true, Ordering::Release);
        self.pairs.settle(limit).await;
    }

    /// Closes the streams to other servers when their queues are written. Stanzas that are not
    /// written within `limit` are returned to their senders when the streams end.
    pub async fn close(&self, limit: Duration) {
        self.pairs.close(limit).await;
    }
}

/// The checks of dialback keys.
#[derive(Debug)]
struct Checks {
    all: Arc<Semaphore>,
    most: usize,
    by_address: Shares<Option<IpAddr>, Semaphore>,
}

impl Checks {
    fn new(most: usize) -> Self {
        Self { all: Arc::new(Semaphore::new(most)), most, by_address: Shares::new() }
    }

    /// Waits until a key from an address may be checked, first for the address's share.
    async fn permit(&self, peer: Option<IpAddr>) -> Option<[OwnedSemaphorePermit; 2]> {
        let share = CHECKS.min(self.most / 4).max(1);
        let own = self.by_address.get(peer.map(subscriber), |_| Semaphore::new(share));
        // Semaphores are not closed.
        let own = own.acquire_owned().await.ok()?;
        Some([own, Arc::clone(&self.all).acquire_owned().await.ok()?])
    }
}

impl services::Federation for Federation {
    fn send(&self, stanza: &Stanza) -> Result<(), StanzaError> {
        let to = stanza.to().ok_or_else(StanzaError::bad_request)?;
        if self.is_stopping.load(Ordering::Acquire) && !is_answer(stanza) {
            return Err(StanzaError::remote_server_timeout().text("this server is stopping"));
        }
        self.pairs.send(stanza, to.domain().as_str())
    }

    fn proves<'a>(&'a self, session: &'a Session, domain: &'a str) -> BoxFuture<'a, bool> {
        Box::pin(async move {
            let Some(core) = self.pairs.core() else { return false };
            self.trust.proves(&core, session, domain, self.allows_dialback(domain)).await
        })
    }

    fn allows_dialback(&self, domain: &str) -> bool {
        self.dialback && !self.trust.has_pins(domain)
    }

    fn verify<'a>(&'a self, question: KeyQuestion<'a>) -> BoxFuture<'a, Result<bool, StanzaError>> {
        Box::pin(async move {
            const UNCHECKED: &str = "a dialback key was not checked";
            let KeyQuestion { host, domain, stream_id, key, peer } = question;
            if let Some(error) = self.pairs.remembered(host.name(), domain) {
                return Err(error);
            }
            let failed = |reason: &str| {
                tracing::info!(domain, reason, UNCHECKED);
                unreachable(domain)
            };
            let (check, answer) = KeyCheck::new(stream_id, key);
            let asked = async {
                let permits = self.checks.permit(peer).await;
                let permits = Arc::new(permits.ok_or_else(|| failed("the server has ended"))?);
                let dialed =
                    self.pairs.dialer.dial(host, domain, Purpose::Question(check), permits);
                let mut link = dialed.await.map_err(|NoStream { told, reason }| {
                    tracing::info!(domain, reason, UNCHECKED);
                    told
                })?;
                // When the stream ends or is refused, the session drops the check, which ends
                // `answer`.
                let answered = tokio::select! {
                    biased;
                    answered = answer => answered.ok(),
                    _ = &mut link.ended => None,
                };
                answered.ok_or_else(|| failed("no answer"))
            };
            timeout(CHECK, asked).await.unwrap_or_else(|_| Err(failed("no answer in time")))
        })
    }

    fn complete_negotiation(&self, session: &Session) {
        match session.kind() {
            SessionKind::S2sIn => {
                for domain in session.authorized_domains() {
                    self.pairs.reset_backoff(&domain);
                }
            }
            _ => report(session, Ok(())),
        }
    }

    fn fail_negotiation(&self, session: &Session, error: StanzaError) {
        report(session, Err(error));
        session.close(None);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn keys_of_one_address_leave_room_for_those_of_others() {
        let checks = Checks::new(64);
        let permit = |ip: &str| checks.permit(Some(ip.parse().unwrap()));
        let mut held = Vec::new();
        for number in 0..CHECKS {
            held.push(permit(&format!("2001:db8::{number}")).await.unwrap());
        }
        let mut waiting = std::pin::pin!(permit("2001:db8::ffff"));
        tokio::select! {
            biased;
            _ = &mut waiting => panic!("one network has more than its share"),
            other = permit("192.0.2.1") => assert!(other.is_some()),
        }
        held.pop();
        assert!(waiting.await.is_some());
    }
}
