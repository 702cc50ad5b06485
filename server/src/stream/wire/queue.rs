//! The bytes that wait to be written to a stream.

use std::task::Waker;

use event_core::StreamError;

use super::super::{budget::BudgetShare, pool, wakes};

/// The queue of a stream, and how much of it is written.
#[derive(Debug)]
pub(super) struct Out {
    pub(super) bytes: Vec<u8>,
    /// The reservation for the queued bytes.
    pub(super) share: BudgetShare,
    /// The elements that were queued and not counted yet.
    pub(super) elements: u32,
    /// The bytes that the task has taken and the kernel has not.
    pub(super) in_flight: usize,
    /// The number of bytes that the kernel has taken.
    pub(super) written: u64,
    /// The connection is gone.
    pub(super) is_gone: bool,
    /// Whether this side's header is queued or sent.
    pub(super) is_open: bool,
    /// The number of `bytes` after which TLS begins.
    pub(super) tls_after: Option<u32>,
    pub(super) restart: bool,
    // Boxed, because it is `None` until the stream ends.
    pub(super) ended: Option<Box<Ended>>,
    pub(super) waker: Option<Waker>,
    /// The task waits for bytes.
    pub(super) parked: bool,
}

/// Why no more bytes can be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::stream) enum Ended {
    /// This side closed the stream, with an error or without.
    Closed(Option<StreamError>),
    /// The other side reads too slowly, so that the queue is full.
    Overflow,
    /// All streams together hold too many bytes, and this stream holds the most.
    Crowded,
    /// The connection is gone.
    Gone,
}

impl Out {
    pub(super) fn new(share: BudgetShare) -> Self {
        Self {
            bytes: Vec::new(),
            share,
            elements: 0,
            in_flight: 0,
            written: 0,
            is_gone: false,
            is_open: false,
            tls_after: None,
            restart: false,
            ended: None,
            waker: None,
            parked: false,
        }
    }

    pub(super) fn waiting(&self) -> usize {
        self.bytes.len() + self.in_flight
    }

    /// The number of bytes that may be written now.
    pub(super) fn ready(&self) -> usize {
        self.tls_after.map_or(self.bytes.len(), |after| self.bytes.len().min(after as usize))
    }

    /// Reduces the reservation to the bytes that wait.
    pub(super) fn settle(&mut self) {
        let waiting = self.waiting();
        self.share.reserve(waiting);
    }

    pub(super) fn push(&mut self, bytes: &[u8]) {
        if self.bytes.capacity() == 0 {
            self.bytes = pool::take_queue();
        }
        self.bytes.extend_from_slice(bytes);
        if self.parked {
            self.wake();
        }
    }

    pub(super) fn wake(&mut self) {
        self.parked = false;
        if let Some(waker) = &self.waker {
            wakes::wake(waker);
        }
    }
}
