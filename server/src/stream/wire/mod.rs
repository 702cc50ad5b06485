//! The writing side of a stream, shared by the stream's task and all senders.
//!
//! Senders append to a bounded queue, which the stream's task writes in batches. The queue holds
//! memory only while bytes wait in it.

mod queue;
mod shares;
#[cfg(test)]
mod tests;

use std::{
    net::IpAddr,
    sync::{
        Arc, OnceLock, Weak,
        atomic::{AtomicBool, Ordering},
    },
    task::Waker,
    time::Duration,
};

use parking_lot::{Mutex, MutexGuard};

use event_core::{BoxFuture, Host, SessionKind, Stream, StreamError, random_id, xml::Element};
use tokio::{sync::Notify, time::timeout};

use super::{budget::BudgetShare, header, pool};
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

    /// Moves the queue into the empty `into`, and returns the number of elements. `None` when no
    /// byte may be written now.
    pub(super) fn take(&self, into: &mut Vec<u8>) -> Option<u32> {
        let mut out = self.out();
        let out = &mut *out;
        // The task runs, so writes of its own handlers need not wake it.
        out.parked = false;
        let ready = out.ready();
        if ready == 0 {
            return None;
        }
        if ready == out.bytes.len() {
            std::mem::swap(into, &mut out.bytes);
            pool::give(&mut out.bytes);
        } else {
            into.extend(out.bytes.drain(..ready));
        }
        if out.tls_after.is_some() {
            out.tls_after = Some(0);
        }
        if let Some(strain) = &mut out.strain {
            strain.shares.take();
        }
        out.in_flight = out.in_flight.saturating_add(u32::try_from(ready).unwrap_or(u32::MAX));
        Some(std::mem::take(&mut out.elements))
    }

    /// Counts bytes that were written.
    pub(super) fn count_written(&self, count: usize) {
        let mut out = self.out();
        out.in_flight = out.in_flight.saturating_sub(u32::try_from(count).unwrap_or(u32::MAX));
        out.settle();
        if out.strain.is_some() && out.waiting() == 0 {
            out.relax();
        }
        out.written = out.written.wrapping_add(count as u64);
        drop(out);
        self.progress.notify_waiters();
    }

    /// Waits until the kernel has taken all bytes that are queued now. False when this is
    /// impossible. Ends the stream of a client that takes nothing for too long.
    async fn flushed(&self) -> bool {
        let mut goal = None;
        loop {
            let progress = self.progress.notified();
            let limit = {
                let out = self.out();
                let goal =
                    *goal.get_or_insert_with(|| out.written.wrapping_add(out.waiting() as u64));
                if out.written >= goal {
                    return true;
                }
                if matches!(
                    out.ended.as_deref(),
                    Some(Ended::Overflow | Ended::Crowded | Ended::Gone)
                ) || out.is_gone
                {
                    return false;
                }
                Duration::from_secs(out.unread_seconds.into())
            };
            if self.kind != SessionKind::Client {
                progress.await;
                continue;
            }
            if timeout(limit, progress).await.is_err() {
                self.overflow(&mut self.out(), Ended::Overflow);
                return false;
            }
        }
    }

    /// The number of bytes that wait.
    pub(super) fn queued(&self) -> usize {
        self.out().waiting()
    }

    /// Takes the next command.
    pub(super) fn command(&self) -> Option<Command> {
        let mut out = self.out();
        if out.ended.is_some() {
            Some(Command::End)
        } else if out.tls_after.is_some() {
            Some(Command::StartTls)
        } else {
            std::mem::take(&mut out.restart).then_some(Command::Restart)
        }
    }

    /// Whether there is a command other than [`Command::End`].
    pub(super) fn has_command(&self) -> bool {
        let out = self.out();
        out.restart || out.tls_after.is_some()
    }

    /// Registers the task to wait for bytes, commands or both. False if some are there already.
    pub(super) fn park(&self, waker: &Waker, for_bytes: bool, for_commands: bool) -> bool {
        let mut out = self.out();
        let has_bytes = for_bytes && out.ready() != 0;
        let has_command = out.ended.is_some() || out.restart || out.tls_after.is_some();
        if has_bytes || (for_commands && has_command) {
            return false;
        }
        match &mut out.waker {
            Some(known) => known.clone_from(waker),
            none => *none = Some(waker.clone()),
        }
        out.parked = for_bytes;
        true
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

    /// Marks the connection as gone, and drops the bytes that were not written.
    pub(super) fn mark_gone(&self) {
        let mut out = self.out();
        out.ended.get_or_insert_with(|| Box::new(Ended::Gone));
        out.bytes = Vec::new();
        out.in_flight = 0;
        out.settle();
        out.is_gone = true;
        out.waker = None;
        drop(out);
        self.progress.notify_waiters();
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

impl Stream for Wire {
    fn write(&self, bytes: &[u8]) -> bool {
        Self::write(self, bytes)
    }

    fn deliver(&self, stanza: &Element) -> bool {
        Self::deliver(self, stanza)
    }

    fn hold(&self) {
        Self::hold(self);
    }

    fn release(&self) {
        let mut out = self.out();
        out.release();
        out.settle();
    }

    fn queued(&self) -> usize {
        Self::queued(self)
    }

    fn is_encrypted(&self) -> bool {
        self.encrypted.load(Ordering::Acquire)
    }

    fn can_start_tls(&self) -> bool {
        self.can_start_tls.load(Ordering::Acquire)
    }

    fn start_tls(&self) {
        if self.can_start_tls.swap(false, Ordering::AcqRel) {
            let mut out = self.out();
            out.tls_after = Some(u32::try_from(out.bytes.len()).unwrap_or(u32::MAX));
            out.wake();
        }
    }

    fn tls_exporter(&self) -> Option<Vec<u8>> {
        self.tls.get()?.exporter.map(|exporter| exporter.to_vec())
    }

    fn restart(&self) {
        {
            let mut out = self.out();
            out.restart = true;
            out.is_open = false;
            out.wake();
        }
        self.begin();
    }

    fn close(&self, error: Option<StreamError>) {
        Self::close(self, error);
    }

    fn note_established(&self) {
        self.out().share.establish();
    }

    fn peer(&self) -> Option<IpAddr> {
        Some(self.peer)
    }

    fn peer_certificates(&self) -> Vec<Vec<u8>> {
        self.tls.get().map(|tls| tls.certificates.clone()).unwrap_or_default()
    }

    fn flushed(&self) -> BoxFuture<'_, bool> {
        Box::pin(Self::flushed(self))
    }
}
