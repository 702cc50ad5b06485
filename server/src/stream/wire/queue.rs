//! The bytes that wait to be written to a stream.

use std::task::Waker;

use event_core::StreamError;

use super::{
    super::{budget::BudgetShare, pool, wakes},
    shares::Strain,
};

/// The queue of a stream, and how much of it is written.
#[derive(Debug)]
pub(super) struct Out {
    pub(super) bytes: Vec<u8>,
    /// The reservation for the queued bytes.
    pub(super) share: BudgetShare,
    /// The elements that were queued and not counted yet.
    pub(super) elements: u32,
    /// The bytes that the task has taken and the kernel has not.
    pub(super) in_flight: u32,
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
    pub(super) strain: Option<Box<Strain>>,
    /// The seconds after which a client that reads nothing is closed.
    pub(super) unread_seconds: u16,
}

/// Why no more bytes can be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::stream) enum Ended {
    /// This side closed the stream, with an error or without.
    Closed(Option<StreamError>),
    /// The other side does not read what is sent to it.
    Overflow,
    /// All streams together hold too many bytes, and this stream holds the most.
    Crowded,
    /// The connection is gone.
    Gone,
}

impl Out {
    pub(super) fn new(share: BudgetShare, unread_seconds: u16) -> Self {
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
            strain: None,
            unread_seconds,
        }
    }

    pub(super) fn waiting(&self) -> usize {
        self.bytes.len() + self.in_flight as usize
    }

    /// The number of bytes that may be written now.
    pub(super) fn ready(&self) -> usize {
        self.tls_after.map_or(self.bytes.len(), |after| self.bytes.len().min(after as usize))
    }

    /// The bytes of the messages that are kept apart.
    fn held(&self) -> usize {
        let held = self.strain.as_ref().and_then(|strain| strain.held.as_ref());
        held.map_or(0, |held| held.bytes.len())
    }

    /// Reserves memory for `more` bytes besides those that wait. False if there is none.
    pub(super) fn reserve(&mut self, more: usize) -> bool {
        let bytes = self.waiting() + self.held() + more;
        self.share.reserve(bytes)
    }

    /// Reduces the reservation to the bytes that wait.
    pub(super) fn settle(&mut self) {
        self.reserve(0);
    }

    /// Queues the messages that were kept apart.
    pub(super) fn release(&mut self) {
        let held = self.strain.as_mut().and_then(|strain| strain.held.take());
        if let Some(held) = held.filter(|held| held.elements > 0) {
            self.push(&held.bytes);
            self.elements = self.elements.wrapping_add(held.elements);
        }
    }

    /// Forgets what an empty queue need not know.
    pub(super) fn relax(&mut self) {
        if self
            .strain
            .as_ref()
            .is_some_and(|strain| strain.held.is_none() && strain.left.is_empty())
        {
            self.strain = None;
        }
    }

    /// Drops the queue, and keeps its content for [`Wire::leftover`](super::Wire::leftover).
    pub(super) fn drop_queue(&mut self) {
        self.release();
        let left = std::mem::take(&mut self.bytes);
        self.elements = 0;
        self.strain.get_or_insert_default().left = left;
        self.settle();
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
