//! What the modules see of other servers.

use std::{
    collections::HashMap,
    sync::{
        Arc, Weak,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, SystemTime},
};

use parking_lot::{Mutex, MutexGuard};

use event_core::{
    BoxFuture, Host, Session, SessionKind, Stanza, StanzaError, StanzaKind, events,
    services::{self, KeyCheck, KeyQuestion},
};
use tokio::{
    sync::{Notify, Semaphore, SetOnce},
    time::timeout,
};

use super::{
    certificate::Authorities,
    connect::Connector,
    dial::{Purpose, tell},
    pair::{Offer, Pair},
    queue::{Bounds, Queue},
};
use crate::{config::S2s, stream::Streams, tls::TlsError};

/// Pairs of domains that may have something under way at a time.
const MAX_PAIRS: usize = 10_000;
/// Dialback keys that may be checked at a time, and how long one may take.
const MAX_CHECKS: usize = 64;
const CHECK: Duration = Duration::from_secs(30);

type Pairs = HashMap<(Box<str>, Box<str>), Arc<Pair>>;

/// All streams to other servers, and what waits for them.
#[derive(Debug)]
pub struct Federation {
    pub(super) connector: Connector,
    authorities: Authorities,
    dialback: bool,
    bounds: Bounds,
    /// A stream that was not used for so long is closed.
    pub(super) idle: Duration,
    pairs: Mutex<Pairs>,
    checks: Semaphore,
    is_stopping: AtomicBool,
    /// Told whenever a pair has moved on.
    pub(super) moved: Notify,
    /// There when the listeners are about to open.
    pub(super) streams: SetOnce<Weak<Streams>>,
    own: Weak<Federation>,
}

impl Federation {
    /// Federation as `[s2s]` describes it. Reads the certificates of authorities.
    ///
    /// # Errors
    ///
    /// The file of `[s2s]` with authorities cannot be used.
    pub fn new(config: &S2s) -> Result<Arc<Self>, TlsError> {
        let authorities = Authorities::load(config)?;
        Ok(Arc::new_cyclic(|own| Self {
            connector: Connector::new(config),
            authorities,
            dialback: config.dialback,
            bounds: Bounds { stanzas: config.queue_stanzas, bytes: config.queue_bytes },
            idle: Duration::from_secs(config.idle_seconds),
            pairs: Mutex::default(),
            checks: Semaphore::new(MAX_CHECKS),
            is_stopping: AtomicBool::new(false),
            moved: Notify::new(),
            streams: SetOnce::new(),
            own: own.clone(),
        }))
    }

    /// Streams can be opened from now on.
    pub fn open(&self, streams: &Arc<Streams>) {
        // It is called once.
        let _ = self.streams.set(Arc::downgrade(streams));
    }

    pub(super) fn pairs(&self) -> MutexGuard<'_, Pairs> {
        self.pairs.lock()
    }

    /// The pairs of domains that have something under way, and how many stanzas wait for them or
    /// may not have arrived.
    pub(crate) fn queued(&self) -> (usize, usize) {
        let pairs = self.pairs();
        (pairs.len(), pairs.values().map(|pair| pair.queued()).sum())
    }

    /// Takes nothing more but answers, and waits until what was taken has arrived, at most for
    /// `limit`: the streams from other servers must still be open, as their answers tell so.
    pub async fn settle(&self, limit: Duration) {
        self.is_stopping.store(true, Ordering::Release);
        self.until(limit, || self.pairs().values().all(|pair| pair.is_settled())).await;
    }

    /// Closes the streams to other servers when what waits is written; what cannot be written
    /// within `limit` is refused by the streams' end.
    pub async fn close(&self, limit: Duration) {
        for pair in self.pairs().values() {
            pair.close();
        }
        self.until(limit, || self.pairs().is_empty()).await;
    }

    async fn until(&self, limit: Duration, is_so: impl Fn() -> bool) {
        let wait = async {
            loop {
                let moved = self.moved.notified();
                if is_so() {
                    return;
                }
                moved.await;
            }
        };
        if timeout(limit, wait).await.is_err() {
            tracing::warn!("not all that goes to other servers was settled in time");
        }
    }

    /// The queue of a pair, made when there is none.
    fn pair(&self, host: &Arc<Host>, remote: &str) -> Result<Arc<Pair>, StanzaError> {
        let mut pairs = self.pairs();
        let key = (host.name().into(), remote.into());
        if let Some(pair) = pairs.get(&key) {
            return Ok(Arc::clone(pair));
        }
        let own = self.own.upgrade().ok_or_else(StanzaError::service_unavailable)?;
        if pairs.len() >= MAX_PAIRS {
            return Err(StanzaError::resource_constraint().text("too many servers are written to"));
        }
        let pair = Arc::new(Pair::new(Arc::clone(host), remote, Queue::new(self.bounds)));
        pairs.insert(key, Arc::clone(&pair));
        tokio::spawn(Arc::clone(&pair).run(own));
        Ok(pair)
    }
}

impl services::Federation for Federation {
    fn send(&self, stanza: &Stanza) -> Result<(), StanzaError> {
        let to = stanza.to().ok_or_else(StanzaError::bad_request)?;
        let host = stanza.origin().host();
        if self.is_stopping.load(Ordering::Acquire) && !is_answer(stanza) {
            return Err(StanzaError::remote_server_timeout().text("this server is about to stop"));
        }
        loop {
            match self.pair(host, to.domain().as_str())?.offer(stanza) {
                Offer::Taken => return Ok(()),
                Offer::Full => {
                    let text = format!("too much waits for {}", to.domain());
                    return Err(StanzaError::resource_constraint().text(text));
                }
                // It has ended just now and left the list.
                Offer::Over => {}
            }
        }
    }

    fn proves<'a>(&'a self, session: &'a Session, domain: &'a str) -> BoxFuture<'a, bool> {
        Box::pin(async move {
            let chain = session.peer_certificates();
            let judged = self.authorities.judge(&chain, domain, SystemTime::now());
            if let Err(reason) = &judged.trust {
                tracing::debug!(domain, %reason, "certificate not trusted");
            }
            let event = events::S2sCheckCertificate {
                session: session.clone(),
                domain: domain.into(),
                chain,
                is_trusted: judged.is_trusted(),
                is_match: judged.is_match,
            };
            let judged = session.host().fire(event).await.event;
            judged.is_trusted && judged.is_match
        })
    }

    fn allows_dialback(&self) -> bool {
        self.dialback
    }

    fn verify<'a>(&'a self, question: KeyQuestion<'a>) -> BoxFuture<'a, Result<bool, StanzaError>> {
        Box::pin(async move {
            let KeyQuestion { host, domain, stream_id, key } = question;
            let Ok(_permit) = self.checks.try_acquire() else {
                return Err(StanzaError::resource_constraint().text("too many keys to check"));
            };
            let unanswered = |reason: &str| {
                StanzaError::remote_server_timeout().text(format!("{domain}: {reason}"))
            };
            let (check, answer) = KeyCheck::new(stream_id, key);
            let asked = async {
                let link = self.dial(host, domain, Purpose::Question(check)).await?;
                // The question goes with the session when its stream ends, or is refused.
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

    fn established(&self, session: &Session) {
        match session.kind() {
            SessionKind::S2sIn => {
                for domain in session.authorized_domains() {
                    let pairs = self.pairs();
                    pairs.iter().filter(|((_, to), _)| *to == domain).for_each(|(_, pair)| {
                        pair.encourage();
                    });
                }
            }
            _ => tell(session, Ok(())),
        }
    }

    fn refused(&self, session: &Session, error: StanzaError) {
        tell(session, Err(error));
        session.close(None);
    }
}

/// Whether somebody waits for it here no more than elsewhere.
fn is_answer(stanza: &Stanza) -> bool {
    let kind = stanza.type_();
    stanza.is_error() || (stanza.kind() == StanzaKind::Iq && kind.as_deref() == Some("result"))
}
