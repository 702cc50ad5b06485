//! Ends a stream and its connection.

use std::{future::poll_fn, io, mem, sync::Arc, task::Poll, time::Duration};

use event_core::{
    Session, SessionKind, SessionState,
    xml::{Element, Frame, Framer, NamespaceScope, STANZA_NS, STREAM_NS, XmlLimits},
};
use tokio::time::timeout;

use super::{
    super::{
        end::{End, Refusal, contained},
        input::Item,
        wire::Ended,
    },
    Connection,
};

/// The time that the other side has to close its stream after this side closed its own.
const LINGER: Duration = Duration::from_secs(5);

impl Connection {
    /// Closes the stream and the connection, and ends the session. Returns the reason.
    pub(super) async fn finish(&mut self, end: End) -> Option<String> {
        if matches!(end, End::Ordered) && self.wire.kind == SessionKind::S2sIn {
            // Handles the stanzas that the other server sent before it saw the end (RFC 6120 §4.4).
            let _ = timeout(LINGER, self.drain_input()).await;
        }
        // Frees the input, because handlers may take long while many streams end.
        self.input.discard();
        self.rate_limiter.disable();
        let reason = self.conclude(&end);
        let can_say = !matches!(end, End::Silent(_) | End::Lost(Some(_)));
        // Sends the last bytes before handlers run, which may take long.
        let closed = match can_say {
            true => poll_fn(|cx| Poll::Ready(self.poll_close(cx))).await,
            false => Poll::Pending,
        };
        let core = Arc::clone(&self.streams.core);
        let session = self.session.take();
        let presence = session.as_ref().and_then(Session::presence);
        if let Some(session) = &session {
            contained(Box::pin(core.turn(session).disconnect(reason.as_deref()))).await;
        }
        if can_say {
            let is_closed = matches!(end, End::Closed | End::Lost(None));
            // A peer that does not close in time is disconnected.
            let _ = timeout(LINGER, self.linger(closed, is_closed)).await;
        }
        let unsent = self.unsent();
        self.wire.mark_gone();
        if let Some(session) = session.filter(|session| session.state() == SessionState::Ended) {
            let priority = presence.map(|presence| presence.priority);
            contained(Box::pin(core.turn(&session).return_unsent(unsent, priority))).await;
        }
        reason
    }

    /// Takes the stanzas for a client or component that the kernel has not taken. What was sent to
    /// another server is counted where it was sent.
    fn unsent(&mut self) -> Vec<Element> {
        // What TLS may keep counts as unsent: better sent twice than lost.
        let written = mem::take(&mut self.written).saturating_sub(self.unflushed as usize);
        let (taken, left) = (mem::take(&mut self.writing), self.wire.leftover());
        let mut unsent = Vec::new();
        if matches!(self.wire.kind, SessionKind::Client | SessionKind::Component) {
            unsent = stanzas(&taken, written);
            unsent.append(&mut stanzas(&left, 0));
        }
        unsent
    }

    /// Reads and handles elements after this side has closed the stream, until the other side
    /// closes it too.
    async fn drain_input(&mut self) {
        let core = Arc::clone(self.streams.core());
        loop {
            match self.item() {
                Ok(Some(Item::Element(element))) if !element.is("error", STREAM_NS) => {
                    let handled = contained(Box::pin(self.handle(&core, element))).await;
                    if !matches!(handled, Some(Ok(()))) {
                        return;
                    }
                }
                Ok(Some(Item::Close | Item::Header(_))) | Err(_) => return,
                Ok(Some(Item::Element(_))) => {}
                Ok(None) => {
                    let filled = poll_fn(|cx| {
                        let _ = self.poll_flush(cx);
                        self.poll_fill(cx)
                    });
                    if !matches!(filled.await, Ok(1..)) {
                        return;
                    }
                }
            }
        }
    }

    /// Closes the queue. Returns the reason of the end; `None` for an end without an error.
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
                self.wire.mark_gone();
                Some((*reason).to_owned())
            }
            End::Ordered => match self.wire.ended() {
                Some(Ended::Closed(Some(error))) => Some(error.to_string()),
                Some(Ended::Overflow) => {
                    tracing::warn!(%peer, client, "a stream is ended: the client reads too slowly");
                    Some("the client reads too slowly".to_owned())
                }
                Some(Ended::Crowded) => {
                    tracing::warn!(
                        %peer,
                        client,
                        "a stream is ended: all streams hold more than limits.waiting_bytes"
                    );
                    Some("the queues of all streams together are too large".to_owned())
                }
                Some(Ended::Closed(None)) => None,
                Some(Ended::Gone) | None => Some("connection lost".to_owned()),
            },
        };
        tracing::debug!(%peer, ?kind, client, reason, "the stream ended");
        reason
    }

    /// Closes the writing side, unless it is closed, and waits until the other side closes its own.
    async fn linger(&mut self, closed: Poll<io::Result<()>>, is_closed: bool) {
        let closed = match closed {
            Poll::Ready(closed) => closed,
            Poll::Pending => poll_fn(|cx| self.poll_close(cx)).await,
        };
        if closed.is_err() {
            return;
        }
        // Closing a socket with unread bytes resets the connection. Then the other side may not see
        // why its stream was closed.
        if !is_closed {
            while let Ok(1..) = poll_fn(|cx| self.poll_fill(cx)).await {
                self.input.discard();
            }
        }
    }
}

/// The elements in the bytes for a stream of which not every byte is among the first `written`.
fn stanzas(bytes: &[u8], written: usize) -> Vec<Element> {
    let scope = NamespaceScope::new(STANZA_NS);
    let mut framer = Framer::new();
    // The framer expects the header of a stream, which was sent long ago.
    let _ = framer.next(b"<stream>", &XmlLimits::UNBOUNDED);
    let (mut stanzas, mut at) = (Vec::new(), 0);
    while let Some(rest) = bytes.get(at..)
        && let Ok(Some(frame)) = framer.next(rest, &XmlLimits::UNBOUNDED)
        && let Some(frame_bytes) = rest.get(..frame.length())
    {
        at += frame.length();
        if let (true, Frame::Element(_)) = (at > written, frame) {
            stanzas.extend(Element::parse(frame_bytes, &scope, &XmlLimits::UNBOUNDED));
        }
    }
    stanzas
}
