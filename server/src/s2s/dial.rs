//! Opens a stream to another server, given its domain.

use std::{
    sync::{Arc, Weak},
    time::Duration,
};

use event_core::{Host, Session, StanzaError, services::KeyCheck};
use tokio::{
    sync::{SetOnce, mpsc, oneshot},
    time::timeout,
};
use tokio_rustls::TlsConnector;

use super::connect::{ConnectError, Connected, Connector, unreachable};
use crate::{
    config::S2s,
    plain::plain,
    stream::{Io, Outgoing, Streams},
    tls::server_name,
};

/// The time limit of a TLS handshake.
const HANDSHAKE: Duration = Duration::from_secs(15);
/// The time limit from the connection until the stream is ready.
const NEGOTIATION: Duration = Duration::from_secs(30);

/// The purpose of a stream.
pub(super) enum Purpose {
    /// The stream carries stanzas. It is ready when this server has proved its domain.
    Stanzas,
    /// The stream asks about a dialback key. It is ready at once.
    Question(KeyCheck),
}

/// A stream that is ready. It is closed when this is dropped.
#[derive(Debug)]
pub(super) struct Link {
    pub(super) session: Session,
    /// The reason why the stream ended; `None` if the other side closed it without an error.
    pub(super) ended: oneshot::Receiver<Option<String>>,
}

impl Drop for Link {
    fn drop(&mut self) {
        self.session.close(None);
    }
}

/// Why a domain gave no stream.
#[derive(Debug)]
pub(super) struct NoStream {
    /// The error for senders of stanzas to the domain.
    pub(super) told: StanzaError,
    /// The reason, for the log.
    pub(super) reason: String,
}

impl NoStream {
    /// The reason stays in the log.
    fn unreachable(domain: &str, reason: impl Into<String>) -> Self {
        Self { told: unreachable(domain), reason: plain(&reason.into()).into_owned() }
    }

    fn of(domain: &str, error: &ConnectError) -> Self {
        Self { told: error.told(domain), reason: plain(&error.to_string()).into_owned() }
    }
}

/// The channel for the result of the negotiation, kept in a slot of the session.
struct ResultSender(mpsc::UnboundedSender<Result<(), StanzaError>>);

/// Sends the result of the negotiation to the task that waits for the session.
pub(super) fn report(session: &Session, result: Result<(), StanzaError>) {
    session.with_slot(|slot: &mut Option<ResultSender>| {
        if let Some(ResultSender(sender)) = slot {
            // The receiver may have stopped waiting.
            let _ = sender.send(result);
        }
    });
}

/// Why a connection gave no stream.
enum Failed {
    /// Another target may succeed.
    Here(NoStream),
    /// The domain itself refused the stream.
    Everywhere(StanzaError),
}

/// Opens streams to other servers.
#[derive(Debug)]
pub(super) struct Dialer {
    connector: Connector,
    /// The streams of the server, set before the listeners open.
    streams: SetOnce<Weak<Streams>>,
}

impl Dialer {
    pub(super) fn new(config: &S2s) -> Self {
        Self { connector: Connector::new(config), streams: SetOnce::new() }
    }

    /// Allows streams to be opened.
    pub(super) fn open(&self, streams: &Arc<Streams>) {
        // Called only once.
        let _ = self.streams.set(Arc::downgrade(streams));
    }

    /// Opens a stream from a host to a domain. `guard` is dropped when the stream's file is closed.
    ///
    /// # Errors
    ///
    /// No server of the domain could be reached, or the domain refused the stream.
    pub(super) async fn dial<G: Send + Sync + 'static>(
        &self,
        host: &Arc<Host>,
        domain: &str,
        purpose: Purpose,
        guard: Arc<G>,
    ) -> Result<Link, NoStream> {
        let streams = self.streams.wait().await;
        let failed_here = |error| NoStream::of(domain, &error);
        let mut route = self.connector.route(domain).await.map_err(failed_here)?;
        let mut failed = None;
        let mut purpose = Some(purpose);
        loop {
            let connected = match route.connect().await {
                Ok(connected) => connected,
                Err(error) => return Err(failed.unwrap_or_else(|| failed_here(error))),
            };
            let peer = connected.peer;
            let gone = || NoStream::unreachable(domain, "the server is stopping");
            let streams = streams.upgrade().ok_or_else(gone)?;
            let io = match shake(&streams, host, domain, connected).await {
                Ok(io) => io,
                Err(error) => {
                    failed = Some(error);
                    continue;
                }
            };
            let outgoing = Outgoing { host: Arc::clone(host), domain: domain.into(), io, peer };
            match negotiate(&streams, outgoing, &mut purpose, Arc::clone(&guard)).await {
                Ok(link) => return Ok(link),
                Err(Failed::Everywhere(told)) => {
                    let reason = told.to_string();
                    return Err(NoStream { told, reason });
                }
                Err(Failed::Here(error)) => {
                    let reason = &error.reason;
                    tracing::debug!(domain, %peer, reason, "the negotiation failed");
                    failed = Some(error);
                }
            }
        }
    }
}

/// Performs the TLS handshake, if TLS begins with the first byte.
async fn shake(
    streams: &Streams,
    host: &Host,
    domain: &str,
    connected: Connected,
) -> Result<Io, NoStream> {
    if !connected.is_direct_tls {
        return Ok(connected.stream.into());
    }
    let failed = |reason: String| {
        tracing::debug!(domain, reason, "the TLS handshake failed");
        NoStream::unreachable(domain, format!("no TLS: {reason}"))
    };
    let name =
        server_name(domain).ok_or_else(|| failed("the domain is no name for TLS".to_owned()))?;
    let config = streams.tls().connector(host.name(), true);
    let config = config.map_err(|error| failed(error.to_string()))?;
    let handshake = TlsConnector::from(config).connect(name, connected.stream);
    match timeout(HANDSHAKE, handshake).await {
        Ok(Ok(stream)) => Ok(Io::from(stream)),
        Ok(Err(error)) => Err(failed(error.to_string())),
        Err(_) => Err(failed("the handshake took too long".to_owned())),
    }
}

/// Runs a stream until it is ready.
async fn negotiate<G: Send + Sync + 'static>(
    streams: &Arc<Streams>,
    outgoing: Outgoing,
    purpose: &mut Option<Purpose>,
    guard: Arc<G>,
) -> Result<Link, Failed> {
    let domain = outgoing.domain.clone();
    let (session, task) = streams.connect(outgoing);
    let (sender, mut result) = mpsc::unbounded_channel();
    session.with_slot(|slot| *slot = Some(ResultSender(sender)));
    let is_question = matches!(purpose, Some(Purpose::Question(_)));
    if is_question && let Some(Purpose::Question(check)) = purpose.take() {
        session.with_slot(|slot| *slot = Some(check));
    }
    let (ending, ended) = oneshot::channel();
    tokio::spawn(async move {
        // The receiver may have stopped waiting.
        let _ = ending.send(task.await);
        drop(guard);
    });
    let mut link = Link { session, ended };
    if is_question {
        return Ok(link);
    }
    let failed = |reason: &str| Failed::Here(NoStream::unreachable(&domain, reason));
    let ready = async {
        tokio::select! {
            biased;
            Some(result) = result.recv() => result.map_err(Failed::Everywhere),
            reason = &mut link.ended => {
                let reason = reason.ok().flatten();
                Err(failed(reason.as_deref().unwrap_or("the server closed the stream")))
            }
        }
    };
    let error = match timeout(NEGOTIATION, ready).await {
        Ok(Ok(())) => return Ok(link),
        Ok(Err(error)) => error,
        Err(_) => failed("the stream was not ready in time"),
    };
    // Its file counts until it is closed, so the next server is not tried before.
    link.session.close(None);
    if !link.ended.is_terminated() {
        let _ = (&mut link.ended).await;
    }
    Err(error)
}
