//! How a stream ends, and what is done then.

use std::{
    future::poll_fn,
    io,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    sync::Arc,
    task::Poll,
    time::Duration,
};

use event_core::{
    Session, SessionKind, StreamError, turns,
    xml::{Element, STREAM_NS},
};
use tokio::time::timeout;

use super::{connection::Connection, wakes::Turn, wire::Ended};

/// How long the other side has to close its stream after ours was closed.
pub(super) const LINGER: Duration = Duration::from_secs(5);

/// How a stream ends.
#[derive(Debug)]
pub(super) enum End {
    /// The other side closed it.
    Closed,
    /// The connection ended without the stream having been closed.
    Lost(Option<io::Error>),
    /// What the other side did must not be, or what we do failed.
    Error(StreamError),
    /// The other side ended it with an error.
    Refused(Refusal),
    /// It was closed from elsewhere, which has been written already.
    Ordered,
    /// Nothing more can be said.
    Silent(&'static str),
}

/// The stream error that the other side sent, as text.
#[derive(Debug)]
pub(super) struct Refusal(String);

impl Refusal {
    pub(super) fn of(error: &Element) -> Self {
        /// More is not meant for a person.
        const TEXT: usize = 200;
        debug_assert!(error.is("error", STREAM_NS));
        let condition = error.children().find(|child| child.name() != "text");
        let condition = condition.map_or("undefined-condition", |child| child.name());
        let text = error.children().find(|child| child.name() == "text");
        let text = text.map(|text| text.text().chars().take(TEXT).collect::<String>());
        let text = text.map(|text| format!(": {text}")).unwrap_or_default();
        Self(format!("the other side ended the stream with {condition}{text}"))
    }
}

impl From<StreamError> for End {
    fn from(error: StreamError) -> Self {
        Self::Error(error)
    }
}

impl Connection {
    /// Closes the stream and the connection, and tells the core. Gives the reason.
    pub(super) async fn finish(&mut self, end: End) -> Option<String> {
        if matches!(end, End::Ordered) && self.wire.kind == SessionKind::S2sIn {
            // What the other server has sent before it knows of the end counts (RFC 6120 §4.4).
            let _ = timeout(LINGER, self.hear_out()).await;
        }
        // Handlers may take their time, with many streams at once.
        self.input.discard();
        self.pace.lift();
        let reason = self.conclude(&end);
        let can_say = !matches!(end, End::Silent(_) | End::Lost(Some(_)));
        // What was said last should reach the other side before handlers take their time.
        let closed = match can_say {
            true => poll_fn(|cx| Poll::Ready(self.poll_close(cx))).await,
            false => Poll::Pending,
        };
        if let Some(session) = self.session.take() {
            let core = Arc::clone(&self.streams.core);
            let told = async { core.disconnected(&session, reason.as_deref()).await };
            contained(Box::pin(turns(told))).await;
        }
        if can_say {
            let is_closed = matches!(end, End::Closed | End::Lost(None));
            // Who does not close in time is closed without.
            let _ = timeout(LINGER, self.linger(closed, is_closed)).await;
        }
        self.wire.gone();
        reason
    }

    /// Ends the writing side, and says why the stream ended unless the other side left by itself.
    fn conclude(&self, end: &End) -> Option<String> {
        let peer = self.wire.peer;
        let kind = self.wire.kind;
        let client = self.session.as_ref().and_then(Session::jid).map(|jid| jid.as_str());
        let reason = match end {
            End::Closed => {
                self.wire.close(None);
                None
            }
            End::Lost(error) => {
                self.wire.close(None);
                Some(match error {
                    Some(error) => format!("connection lost: {error}"),
                    None => "connection closed without closing the stream".to_owned(),
                })
            }
            End::Error(error) => {
                self.wire.close(Some(error.clone()));
                Some(error.to_string())
            }
            End::Refused(Refusal(reason)) => {
                self.wire.close(None);
                Some(reason.clone())
            }
            End::Silent(reason) => {
                self.wire.gone();
                Some((*reason).to_owned())
            }
            End::Ordered => match self.wire.ended() {
                Some(Ended::Closed(Some(error))) => Some(error.to_string()),
                Some(Ended::Overflow) => {
                    tracing::warn!(%peer, client, "ended a stream whose client reads too slowly");
                    Some("the client reads too slowly".to_owned())
                }
                Some(Ended::Crowded) => {
                    tracing::warn!(%peer, client, "ended a stream: see limits.waiting_bytes");
                    Some("too much waits for all clients".to_owned())
                }
                Some(Ended::Closed(None)) => None,
                Some(Ended::Gone) | None => Some("connection lost".to_owned()),
            },
        };
        tracing::debug!(%peer, ?kind, client, reason, "stream ended");
        reason
    }

    /// Closes the writing side, unless it is, and waits for the other side to do so.
    async fn linger(&mut self, closed: Poll<io::Result<()>>, is_closed: bool) {
        let closed = match closed {
            Poll::Ready(closed) => closed,
            Poll::Pending => poll_fn(|cx| self.poll_close(cx)).await,
        };
        if closed.is_err() {
            return;
        }
        // Closing a socket with bytes unread would reset the connection, and the other side might
        // never see why its stream was closed.
        if !is_closed {
            while let Ok(1..) = poll_fn(|cx| self.poll_fill(cx)).await {
                self.input.discard();
            }
        }
    }
}

/// Runs `task`; `None` when it panicked.
// No `async fn`: its future would have room for the task twice.
pub(super) fn contained<T>(
    mut task: Pin<Box<impl Future<Output = T>>>,
) -> impl Future<Output = Option<T>> {
    poll_fn(move |cx| {
        let _turn = Turn::begin();
        match catch_unwind(AssertUnwindSafe(|| task.as_mut().poll(cx))) {
            Ok(polled) => polled.map(Some),
            Err(_) => {
                tracing::error!("a stream's task panicked; only that stream ends");
                Poll::Ready(None)
            }
        }
    })
}
