//! Federation as a service for modules.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, SystemTime},
};

use event_core::{
    BoxFuture, HostContext, Session, SessionKind, Stanza, StanzaError, StanzaKind, events,
    services::{self, KeyCheck, KeyQuestion},
};
use tokio::{sync::Semaphore, time::timeout};

use super::{
    certificate::Authorities,
    dial::{Purpose, report},
    pair::Offer,
    pairs::Pairs,
};
use crate::{config::S2s, stream::Streams};

/// The number of dialback keys that are checked at once, and the time limit of one check.
const MAX_CHECKS: usize = 64;
const CHECK: Duration = Duration::from_secs(30);

/// All streams to other servers, and their queues.
#[derive(Debug)]
pub struct Federation {
    authorities: Authorities,
    dialback: bool,
    pairs: Arc<Pairs>,
    checks: Semaphore,
    is_stopping: AtomicBool,
}

impl Federation {
    /// Federation with the settings of `[s2s]`.
    pub fn new(config: &S2s, authorities: Authorities) -> Arc<Self> {
        Arc::new(Self {
            authorities,
            dialback: config.dialback,
            pairs: Arc::new(Pairs::new(config)),
            checks: Semaphore::new(MAX_CHECKS),
            is_stopping: AtomicBool::new(false),
        })
    }

    /// The authorities that certificates are judged by.
    pub(crate) fn authorities(&self) -> &Authorities {
        &self.authorities
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

impl services::Federation for Federation {
    fn send(&self, stanza: &Stanza) -> Result<(), StanzaError> {
        let to = stanza.to().ok_or_else(StanzaError::bad_request)?;
        let host = stanza.origin().host();
        if self.is_stopping.load(Ordering::Acquire) && !is_answer(stanza) {
            return Err(StanzaError::remote_server_timeout().text("this server is stopping"));
        }
        loop {
            match self.pairs.pair(host, to.domain().as_str())?.offer(stanza) {
                Offer::Taken => return Ok(()),
                Offer::Full => {
                    let text = format!("the queue to {} is full", to.domain());
                    return Err(StanzaError::resource_constraint().text(text));
                }
                // The pair has just ended and been removed from the list.
                Offer::Over => {}
            }
        }
    }

    fn proves<'a>(&'a self, session: &'a Session, domain: &'a str) -> BoxFuture<'a, bool> {
        Box::pin(async move {
            let chain = session.peer_certificates();
            let judged = self.authorities.judge(&chain, domain, SystemTime::now());
            if let Err(reason) = &judged.trust {
                tracing::debug!(domain, %reason, "the certificate is not trusted");
            }
            let event = events::S2sCheckCertificate {
                session: session.clone(),
                domain: domain.into(),
                chain,
                is_trusted: judged.is_trusted(),
                is_match: judged.is_match,
            };
            let Some(core) = self.pairs.core() else { return false };
            let judged = HostContext::new(&core, session.host()).fire(event).await.event;
            judged.is_trusted && judged.is_match
        })
    }

    fn allows_dialback(&self) -> bool {
        self.dialback
    }

    fn verify<'a>(&'a self, question: KeyQuestion<'a>) -> BoxFuture<'a, Result<bool, StanzaError>> {
        Box::pin(async move {
            let KeyQuestion { host, domain, stream_id, key, .. } = question;
            let Ok(_permit) = self.checks.try_acquire() else {
                return Err(StanzaError::resource_constraint().text("too many keys to check"));
            };
            let unanswered = |reason: &str| {
                StanzaError::remote_server_timeout().text(format!("{domain}: {reason}"))
            };
            let (check, answer) = KeyCheck::new(stream_id, key);
            let asked = async {
                let link = self.pairs.dialer.dial(host, domain, Purpose::Question(check)).await?;
                // When the stream ends or is refused, the session drops the check, which ends
                // `answer`.
                let mut ended = link.ended;
                let answered = tokio::select! {
                    biased;
                    answered = answer => answered.ok(),
                    _ = &mut ended => None,
                };
                link.session.close(None);
                answered.ok_or_else(|| unanswered("no answer to the dialback key"))
            };
            let late = |_| Err(unanswered("no answer to the dialback key in time"));
            timeout(CHECK, asked).await.unwrap_or_else(late)
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

/// Whether a stanza is an answer. Answers are sent even while the server stops.
fn is_answer(stanza: &Stanza) -> bool {
    let kind = stanza.type_();
    stanza.is_error() || (stanza.kind() == StanzaKind::Iq && kind.as_deref() == Some("result"))
}
