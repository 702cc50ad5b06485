//! The task of one connection. This file has its state and its I/O; each phase has its own file.

mod close;
mod open;
mod read_ahead;
mod run;
mod secure;

use std::{
    collections::VecDeque,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};

use event_core::{Session, SessionKind, StreamError, xml::XmlLimits};
use tokio::time::{Sleep, sleep};

use super::{
    budget::BudgetShare,
    end::End,
    input::{Input, Item},
    io::Io,
    pool,
    rate_limiter::{Flood, RateLimiter},
    streams::{Settings, Streams},
    traffic::Counters,
    wire::Wire,
};

/// See the [module](self).
pub(super) struct Connection {
    pub(super) streams: Arc<Streams>,
    pub(super) wire: Arc<Wire>,
    pub(super) io: Io,
    pub(super) input: Input,
    /// Items that were read while a handler waited.
    ahead: VecDeque<Result<Item, End>>,
    /// The size of the element that is being handled, in bytes.
    in_hand: u32,
    /// The reservation for all bytes that are read but not handled, and for what TLS keeps.
    share: BudgetShare,
    /// The settings at the time when the connection began.
    settings: Arc<Settings>,
    pub(super) session: Option<Session>,
    /// The bytes taken from the wire, and the number of those that are written.
    writing: Vec<u8>,
    written: usize,
    /// The written bytes that the socket may not have sent yet.
    unflushed: u32,
    rate_limiter: RateLimiter,
    /// The time limit for establishing the stream; `None` once the stream is established. Until
    /// then, the limits of strangers apply.
    deadline: Option<Pin<Box<Sleep>>>,
}

impl Connection {
    pub(super) fn new(streams: Arc<Streams>, wire: Arc<Wire>, io: Io) -> Self {
        let settings = streams.settings();
        let limit = Duration::from_secs(settings.limits.authentication_seconds);
        let rate_limiter = RateLimiter::new(&settings.limits, wire.kind);
        let share = wire.input_share();
        Self {
            streams,
            settings,
            wire,
            io,
            input: Input::default(),
            ahead: VecDeque::new(),
            in_hand: 0,
            share,
            session: None,
            writing: Vec::new(),
            written: 0,
            unflushed: 0,
            rate_limiter,
            deadline: Some(Box::pin(sleep(limit))),
        }
    }

    /// Writes the queue and flushes the socket. Ready when the kernel has taken every byte.
    pub(super) fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        let written = self.poll_write(cx)?;
        if self.unflushed > 0 {
            let flushed = self.io.poll_flush(cx)?;
            self.count_flushed(self.io.kept());
            ready!(flushed);
        }
        written.map(Ok)
    }

    /// Writes the queue and closes the writing side.
    pub(super) fn poll_close(&mut self, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        ready!(self.poll_write(cx))?;
        ready!(self.io.poll_shutdown(cx))?;
        self.count_flushed(0);
        Poll::Ready(Ok(()))
    }

    /// Writes the queue to the socket, which may buffer the bytes until it is flushed.
    fn poll_write(&mut self, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        loop {
            while let Some(rest @ [_, ..]) = self.writing.get(self.written..) {
                let count = ready!(self.io.poll_write(cx, rest))?;
                if count == 0 {
                    return Poll::Ready(Err(std::io::ErrorKind::WriteZero.into()));
                }
                self.written += count;
                let count = u32::try_from(count).unwrap_or(u32::MAX);
                self.unflushed = self.unflushed.saturating_add(count);
            }
            self.written = 0;
            pool::give(&mut self.writing);
            match self.wire.take(&mut self.writing) {
                Some(elements) => self.traffic().count_elements_sent(elements),
                None => return Poll::Ready(Ok(())),
            }
        }
    }

    /// Counts the written bytes as sent, except the `kept` bytes that are still in the socket.
    fn count_flushed(&mut self, kept: usize) {
        let kept = u32::try_from(kept).unwrap_or(u32::MAX).min(self.unflushed);
        let count = (std::mem::replace(&mut self.unflushed, kept) - kept) as usize;
        if count > 0 {
            self.wire.count_written(count);
            self.traffic().count_sent(count);
        }
    }

    fn traffic(&self) -> &Counters {
        self.streams.traffic.of(self.wire.kind)
    }

    /// Reads once, as soon as the rate limits allow it.
    pub(super) fn poll_fill(&mut self, cx: &mut Context<'_>) -> Poll<std::io::Result<usize>> {
        if let Err(Flood) = ready!(self.rate_limiter.poll(cx)) {
            let text = "for too long, you have sent more than the limits allow";
            self.wire.close(Some(StreamError::policy_violation().text(text)));
            return Poll::Pending;
        }
        let mut read = pool::take();
        let filled = self.io.poll_read(cx, &mut read);
        // Counted even if it holds no data, because reading it was work.
        let cost = self.io.take_cost(&filled);
        self.rate_limiter.count_bytes(cost);
        match filled {
            Poll::Ready(Ok(count @ 1..)) => {
                self.traffic().count_received(count);
                self.input.append(&mut read);
                self.reserve();
            }
            _ => {
                pool::give(&mut read);
                if cost > 0 {
                    self.reserve();
                }
            }
        }
        filled
    }

    /// Reserves the memory that the other side makes this side keep. Ends the stream if this is
    /// refused.
    pub(super) fn reserve(&mut self) {
        if !self.share.reserve(self.in_hand as usize + self.waiting() + self.io.held()) {
            let text = "too many stanzas wait to be handled";
            self.wire.close(Some(StreamError::resource_constraint().text(text)));
        }
    }

    /// Ends the limits of strangers, if the stream is established.
    fn note_established(&mut self) {
        if self.deadline.is_some() && self.session.as_ref().is_some_and(Session::is_established) {
            self.deadline = None;
        }
    }

    fn xml_limits(&self) -> XmlLimits {
        let limits = &self.settings.limits;
        let is_known = |session: &Session| session.user().is_some() || session.is_established();
        XmlLimits {
            max_stanza: match self.wire.kind {
                // No header needs more, whoever sends it.
                _ if !self.input.has_header() => limits.unauthenticated_bytes,
                _ if !self.session.as_ref().is_some_and(is_known) => limits.unauthenticated_bytes,
                SessionKind::Client => limits.stanza_bytes,
                _ => limits.server_stanza_bytes,
            },
            max_depth: limits.depth,
            max_attributes: limits.attributes,
        }
    }

    /// The next item. Items that were read ahead come first.
    fn item(&mut self) -> Result<Option<Item>, End> {
        self.ahead.pop_front().map_or_else(|| self.next(), |item| item.map(Some))
    }

    fn next(&mut self) -> Result<Option<Item>, End> {
        let limits = self.xml_limits();
        // Only clients have a JID to set as `from`.
        let jid = self.session.as_ref().and_then(Session::jid);
        let item = self.input.next(&limits, jid.map(|jid| jid.as_str()));
        let item = item.map_err(|error| End::Error(error.into()))?;
        if let Some(Item::Element(element)) = &item {
            self.rate_limiter.count_stanza();
            self.traffic().count_element(element);
        }
        Ok(item)
    }

    /// The number of bytes that are read and are not being handled.
    fn waiting(&self) -> usize {
        let parsed = self.ahead.iter().map(|item| match item {
            Ok(Item::Element(element)) => element.memory(),
            _ => 0,
        });
        parsed.sum::<usize>() + self.input.len()
    }
}
