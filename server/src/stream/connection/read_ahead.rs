//! Handles one element. Meanwhile, the connection is written and read ahead.

use std::{
    future::poll_fn,
    pin::pin,
    task::{Context, Poll},
};

use event_core::{
    Core, Session, StreamError, cost,
    xml::{Element, STREAM_NS},
};

use super::{
    super::{
        end::{End, Refusal},
        input::Item,
    },
    Connection,
};

impl Connection {
    /// Runs the handlers of one element. Reads and writes while a handler waits.
    #[expect(clippy::manual_async_fn, reason = "this future is smaller")]
    pub(super) fn handle(
        &mut self,
        core: &Core,
        element: Element,
    ) -> impl Future<Output = Result<(), End>> + Send {
        async move {
            let Some(session) = self.session.clone() else {
                return Err(StreamError::invalid_xml().text("no stream header").into());
            };
            if element.is("error", STREAM_NS) {
                return Err(End::Refused(Refusal::of(&element)));
            }
            self.in_hand = u32::try_from(element.memory()).unwrap_or(u32::MAX);
            let mut work = pin!(core.turn(&session).receive(element));
            let received = poll_fn(|cx| {
                let (polled, cost) = cost::measure(session.payer(), || work.as_mut().poll(cx));
                self.rate_limiter.count_cost(cost);
                if let Poll::Ready(received) = polled {
                    return Poll::Ready(received.map_err(End::Error));
                }
                self.note_established();
                // Frees the read buffer while the handler waits.
                self.input.settle();
                self.reserve();
                self.poll_ahead(&session, cx);
                Poll::Pending
            })
            .await;
            self.in_hand = 0;
            self.note_established();
            received
        }
    }

    /// Writes the queue, and reads until `read_ahead_bytes` wait.
    fn poll_ahead(&mut self, session: &Session, cx: &mut Context<'_>) {
        loop {
            let has_end = matches!(self.ahead.back(), Some(Err(_) | Ok(Item::Close)));
            let flushed = self.poll_flush(cx);
            if matches!(flushed, Poll::Ready(Err(_))) {
                self.wire.mark_broken();
            }
            if !has_end {
                if let Poll::Ready(Err(error)) = flushed {
                    self.ahead.push_back(Err(End::Lost(Some(error))));
                    return;
                }
                while self.has_room() {
                    match self.poll_fill(cx) {
                        Poll::Pending => break,
                        Poll::Ready(Ok(0)) => self.ahead.push_back(Err(End::Lost(None))),
                        Poll::Ready(Err(error)) => {
                            self.ahead.push_back(Err(End::Lost(Some(error))));
                        }
                        Poll::Ready(Ok(_)) => self.parse_ahead(session),
                    }
                }
            }
            if self.wire.park(cx.waker(), flushed.is_ready(), false) {
                return;
            }
        }
    }

    fn has_room(&self) -> bool {
        let ended = matches!(self.ahead.back(), Some(Err(_) | Ok(Item::Close)));
        let limits = &self.settings.limits;
        let most = match self.deadline {
            Some(_) => limits.unauthenticated_bytes.min(limits.read_ahead_bytes),
            None => limits.read_ahead_bytes,
        };
        !ended && self.waiting() < most
    }

    /// Parses the bytes that were read ahead, so that answers reach the handlers that wait for
    /// them. Before the stream is established, nothing is parsed, because the handler may change
    /// how the bytes must be parsed.
    fn parse_ahead(&mut self, session: &Session) {
        if !session.is_established() || self.wire.has_command() {
            return;
        }
        loop {
            let item = match self.next() {
                Ok(None) => break,
                Ok(Some(Item::Element(element))) => {
                    match self.streams.core.take_awaited(session, element) {
                        Some(element) => Ok(Item::Element(element)),
                        None => continue,
                    }
                }
                Ok(Some(item)) => Ok(item),
                Err(end) => Err(end),
            };
            let is_end = item.is_err();
            self.ahead.push_back(item);
            if is_end {
                return;
            }
        }
        self.input.settle();
    }
}
