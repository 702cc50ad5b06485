//! The main loop of a connection.

use std::{
    future::poll_fn,
    sync::Arc,
    task::{Context, Poll},
};

use event_core::{SessionKind, StreamError};
use tokio::time::timeout;

use super::{
    super::{
        end::{End, contained, poll_contained},
        input::Item,
        wire::Command,
    },
    Connection,
    secure::HANDSHAKE,
};

/// If more bytes wait to be written to a peer, the peer is not read.
const BACKPRESSURE: usize = 64 * 1024;

impl Connection {
    /// Serves the connection until it ends. Returns the reason, unless the other side closed the
    /// stream.
    // `self` is boxed, because a future holds its arguments twice.
    #[expect(clippy::manual_async_fn, reason = "this future is smaller")]
    pub(in crate::stream) fn run(
        mut self: Box<Self>,
        direct: bool,
    ) -> impl Future<Output = Option<String>> + Send {
        async move {
            let end = if direct { Box::pin(self.handshake()).await.err() } else { None };
            let end = match end {
                Some(end) => end,
                None => self.live().await,
            };
            Box::pin(self.finish(end)).await
        }
    }

    async fn live(&mut self) -> End {
        loop {
            if let Err(end) = poll_fn(|cx| self.poll_idle_contained(cx)).await {
                return end;
            }
            // Boxed, so that an idle stream keeps no memory for handlers.
            match contained(Box::pin(self.process())).await {
                Some(Ok(())) => {}
                Some(Err(end)) => return end,
                None => return StreamError::internal_server_error().into(),
            }
        }
    }

    /// As [`Connection::poll_idle`]. A panic, which a TLS record may cause, ends the session in
    /// order.
    fn poll_idle_contained(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), End>> {
        poll_contained(|| self.poll_idle(cx))
            .unwrap_or(Poll::Ready(Err(End::Silent("internal error"))))
    }

    /// Waits for input or a command. Writes the queue while waiting.
    fn poll_idle(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), End>> {
        loop {
            let flushed = match self.poll_flush(cx) {
                Poll::Ready(Err(error)) => return Poll::Ready(Err(End::Lost(Some(error)))),
                Poll::Ready(Ok(())) => true,
                Poll::Pending => false,
            };
            self.note_established();
            if let Some(deadline) = &mut self.deadline
                && deadline.as_mut().poll(cx).is_ready()
            {
                return Poll::Ready(Err(overdue(self.wire.kind).into()));
            }
            // A peer that does not read its answers is not read.
            if self.wire.queued() < BACKPRESSURE {
                match self.poll_fill(cx) {
                    Poll::Ready(Err(error)) => return Poll::Ready(Err(End::Lost(Some(error)))),
                    Poll::Ready(Ok(0)) => return Poll::Ready(Err(End::Lost(None))),
                    Poll::Ready(Ok(_)) => return Poll::Ready(Ok(())),
                    Poll::Pending => {}
                }
            }
            if self.wire.park(cx.waker(), flushed, true) {
                return Poll::Pending;
            }
            if self.wire.ended().is_some() {
                return Poll::Ready(Err(End::Ordered));
            }
            if self.wire.has_command() {
                return Poll::Ready(Ok(()));
            }
        }
    }

    /// Handles the bytes that were read, one element after the other.
    pub(in crate::stream) async fn process(&mut self) -> Result<(), End> {
        // Cloned once, not for each element, because all threads share the reference counter.
        let core = Arc::clone(self.streams.core());
        loop {
            if self.wire.queued() > BACKPRESSURE {
                let flushed = poll_fn(|cx| self.poll_flush_unless_ended(cx)).await;
                flushed.map_err(|error| End::Lost(Some(error)))?;
            }
            self.commands().await?;
            let element = match self.item()? {
                Some(Item::Element(element)) => element,
                Some(Item::Header(header)) => {
                    Box::pin(self.open(header)).await?;
                    continue;
                }
                Some(Item::Close) => return Err(End::Closed),
                None => break,
            };
            self.handle(&core, element).await?;
        }
        self.ahead.shrink_to_fit();
        self.input.settle();
        self.reserve();
        Ok(())
    }

    fn poll_flush_unless_ended(&mut self, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        let flushed = self.poll_flush(cx);
        if flushed.is_pending() && !self.wire.park(cx.waker(), false, true) {
            return Poll::Ready(Ok(()));
        }
        flushed
    }

    /// Executes the commands of handlers.
    async fn commands(&mut self) -> Result<(), End> {
        while let Some(command) = self.wire.command() {
            match command {
                Command::End => return Err(End::Ordered),
                Command::Restart => self.input.restart(),
                Command::StartTls => {
                    let flush = timeout(HANDSHAKE, poll_fn(|cx| self.poll_flush(cx)));
                    match flush.await {
                        Ok(Ok(())) => {}
                        Ok(Err(error)) => return Err(End::Lost(Some(error))),
                        Err(_) => return Err(End::Silent("the other side does not read")),
                    }
                    // RFC 6120 §5.4.3.3: bytes that arrived before TLS are not part of the stream
                    // within TLS, because an attacker may have injected them.
                    if !self.input.is_blank() || !self.ahead.is_empty() {
                        return Err(End::Silent("bytes were sent between STARTTLS and TLS"));
                    }
                    Box::pin(self.handshake()).await?;
                }
            }
        }
        Ok(())
    }
}

fn overdue(kind: SessionKind) -> StreamError {
    let text = match kind {
        SessionKind::Client => "no resource was bound in time",
        _ => "no domain was proved in time",
    };
    StreamError::connection_timeout().text(text)
}
