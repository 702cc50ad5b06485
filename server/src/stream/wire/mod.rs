//! The writing side of a stream, shared by the stream's task and all senders.
//!
//! Senders append to a bounded queue, which the stream's task writes in batches. The queue holds
//! memory only while bytes wait in it.

mod queue;
mod shares;
mod stream;
mod task;
#[cfg(test)]
mod tests;

use std::{
    net::IpAddr,
    sync::{
        Arc, OnceLock, Weak,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use parking_lot::{Mutex, MutexGuard};

use event_core::{Host, SessionKind, StreamError, random_id, xml::Element};
use tokio::sync::Notify;

use super::{budget::BudgetShare, header};
pub(super) use queue::Ended;
use queue::Out;

/// The closing tag.
const CLOSE: &[u8] = b"</stream:stream>";

/// What this server itself makes for a stream, such as answers, may exceed the queue by this many
/// bytes and one stanza more.
const OWN_BYTES: usize = 1024 * 1024;

/// See the [module](self).
#[derive(Debug)]
pub(crate) struct Wire {
    out: Mutex<Out>,
    encrypted: AtomicBool,
    can_start_tls: AtomicBool,
    /// The results of the TLS handshake, once it has ended.
    tls: OnceLock<Box<TlsFacts>>,
    /// Notified when bytes were written, and when no more will be written.
    progress: Notify,
    pub(super) peer: IpAddr,
    /// The maximum number of bytes that may wait.
    max: u32,
    pub(super) kind: SessionKind,
    /// The host of the stream's session, once there is one.
    host: OnceLock<Weak<Host>>,
    opening: Opening,
}

/// The results of a TLS handshake.
#[derive(Debug, Default)]
pub(super) struct TlsFacts {
    /// The channel binding data, if any.
    pub(super) exporter: Option<[u8; 32]>,
    /// The other side's certificate chain, as DER.
    pub(super) certificates: Vec<Vec<u8>>,
}

/// How this side of a stream begins.
#[derive(Debug)]
pub(super) enum Opening {
    /// With an answer to the other side's header.
    Answer,
    /// With this header.
    Header(Box<str>),
}

/// A command that the task executes between two elements.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Command {
    StartTls,
    Restart,
    End,
}

impl Wire {
    pub(super) fn new(
        kind: SessionKind,
        peer: IpAddr,
        (max, unread_seconds): (usize, u16),
        share: BudgetShare,
        opening: Opening,
        starttls: bool,
    ) -> Self {
        Self {
            out: Mutex::new(Out::new(share, unread_seconds)),
            encrypted: AtomicBool::new(false),
            can_start_tls: AtomicBool::new(starttls),
            tls: OnceLock::new(),
            progress: Notify::new(),
            peer,
            max: u32::try_from(max).unwrap_or(u32::MAX),
            kind,
            host: OnceLock::new(),
            opening,
        }
    }

    /// Stores the host of the stream's session.
    pub(super) fn set_host(&self, host: &Arc<Host>) {
        self.host.get_or_init(|| Arc::downgrade(host));
    }

    /// Whether the stream's session belongs to this host.
    pub(super) fn is_of(&self, host: &Arc<Host>) -> bool {
        self.host.get().is_some_and(|own| std::ptr::eq(own.as_ptr(), Arc::as_ptr(host)))
    }

    fn out(&self) -> MutexGuard<'_, Out> {
        self.out.lock()
    }

    /// The other share of this stream's memory, for what is read.
    pub(super) fn input_share(&self) -> BudgetShare {
        self.out().share.other()
    }

    /// Queues this side's header.
    pub(super) fn open(&self, header: &str) {
        let mut out = self.out();
        if out.ended.is_none() {
            out.push(header.as_bytes());
            out.is_open = true;
        }
    }

    /// Queues this side's header, if the stream begins with it.
    pub(super) fn begin(&self) {
        if let Opening::Header(header) = &self.opening {
            self.open(header);
        }
    }

    /// Queues bytes that this server makes for the stream: see [`Stream::write`].
    pub(super) fn write(&self, bytes: &[u8]) -> bool {
        let mut out = self.out();
        if out.ended.is_some() {
            return false;
        }
        if out.waiting() > self.max as usize + OWN_BYTES {
            self.overflow(&mut out, Ended::Overflow);
            return false;
        }
        self.push(&mut out, bytes)
    }

    /// Queues a stanza of another entity: see [`Stream::deliver`].
    fn deliver(&self, stanza: &Element) -> bool {
        let mut out = self.out();
        let out = &mut *out;
        if out.ended.is_some() {
            return false;
        }
        let bytes = stanza.as_bytes();
        let share = self.max as usize / 4;
        let waiting = out.waiting() + bytes.len();
        if waiting <= share && out.strain.is_none() {
            return self.push(out, bytes);
        }
        let host = self.host.get().and_then(Weak::upgrade);
        let own = host.as_deref().map(Host::name);
        let strain = out.strain.get_or_insert_default();
        if let Some(held) = strain.held.as_mut().filter(|_| stanza.name() == "message") {
            return held.push(stanza, own) && self.reserved(out, 0);
        }
        let fits = waiting <= self.max as usize && strain.shares.admit(stanza, own, share);
        if fits {
            return self.push(out, bytes);
        }
        if strain.is_stuck(out.written, Duration::from_secs(out.unread_seconds.into())) {
            self.overflow(out, Ended::Overflow);
        }
        false
    }

    fn push(&self, out: &mut Out, bytes: &[u8]) -> bool {
        let is_reserved = self.reserved(out, bytes.len());
        if is_reserved {
            out.push(bytes);
            out.elements = out.elements.wrapping_add(1);
        }
        is_reserved
    }

    /// Reserves memory for `more` bytes. If there is none, the stream of a client ends.
    fn reserved(&self, out: &mut Out, more: usize) -> bool {
        let is_reserved = out.reserve(more);
        if !is_reserved {
            self.overflow(out, Ended::Crowded);
        }
        is_reserved
    }

    /// Ends the stream of a client because of its queue. The queue is not written, so that the
    /// error reaches the client early. The streams of servers and components stay open, because
    /// many users share them.
    fn overflow(&self, out: &mut Out, ended: Ended) {
        if self.kind == SessionKind::Client && out.ended.is_none() {
            out.drop_queue();
            self.end(out, ended);
        }
    }

    /// Keeps messages apart: see [`Stream::hold`].
    fn hold(&self) {
        let mut out = self.out();
        out.release();
        out.strain.get_or_insert_default().held = Some(Default::default());
    }

    /// Takes what was queued and never taken by the task. No more can be queued then.
    pub(super) fn leftover(&self) -> Vec<u8> {
        let mut out = self.out();
        out.release();
        let mut left = out.strain.take().map(|strain| strain.left).unwrap_or_default();
        left.append(&mut out.bytes);
        out.ended.get_or_insert_with(|| Box::new(Ended::Gone));
        left
    }

    /// Notes that nothing can be written any more, so that no handler waits for a flush.
    pub(super) fn mark_broken(&self) {
        self.out().is_gone = true;
        self.progress.notify_waiters();
    }

    /// Ends the stream. A second call has no effect.
    pub(crate) fn close(&self, error: Option<StreamError>) {
        let mut out = self.out();
        self.end(&mut out, Ended::Closed(error));
    }

    /// Marks the stream as protected by TLS.
    pub(super) fn set_tls(&self, facts: TlsFacts) {
        if facts.exporter.is_some() || !facts.certificates.is_empty() {
            let _ = self.tls.set(Box::new(facts));
        }
        self.encrypted.store(true, Ordering::Release);
        self.can_start_tls.store(false, Ordering::Release);
        {
            let mut out = self.out();
            out.tls_after = None;
            out.is_open = false;
        }
        self.begin();
    }

    /// Why no more bytes can be written; `None` while they can.
    pub(super) fn ended(&self) -> Option<Ended> {
        self.out().ended.as_deref().cloned()
    }

    fn end(&self, out: &mut Out, ended: Ended) {
        if out.ended.is_some() {
            return;
        }
        match &self.opening {
            _ if out.is_open => {}
            Opening::Answer => {
                let host = self.host.get().and_then(Weak::upgrade);
                let from = host.as_ref().map(|host| host.name());
                out.push(header::answer(self.kind, from, &random_id(), None).as_bytes());
            }
            Opening::Header(header) => out.push(header.as_bytes()),
        }
        let error = match &ended {
            Ended::Closed(error) => error.clone(),
            Ended::Overflow => {
                Some(StreamError::policy_violation().text("you do not read what is sent to you"))
            }
            Ended::Crowded => Some(StreamError::resource_constraint().text(
                "the queues of all streams together are too large, and the queue of this \
                     stream is the largest",
            )),
            Ended::Gone => None,
        };
        if let Some(error) = error {
            out.push(error.to_xml().as_bytes());
        }
        out.push(CLOSE);
        out.ended = Some(Box::new(ended));
        out.wake();
        self.progress.notify_waiters();
    }
}
