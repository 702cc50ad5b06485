//! What the stream's task does with the writing side.

use std::{task::Waker, time::Duration};

use event_core::SessionKind;
use tokio::time::timeout;

use super::{super::pool, Command, Wire, queue::Ended};

impl Wire {
    /// Moves the queue into the empty `into`, and returns the number of elements. `None` when no
    /// byte may be written now.
    pub(in crate::stream) fn take(&self, into: &mut Vec<u8>) -> Option<u32> {
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
    pub(in crate::stream) fn count_written(&self, count: usize) {
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
    pub(super) async fn flushed(&self) -> bool {
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
    pub(in crate::stream) fn queued(&self) -> usize {
        self.out().waiting()
    }

    /// Takes the next command.
    pub(in crate::stream) fn command(&self) -> Option<Command> {
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
    pub(in crate::stream) fn has_command(&self) -> bool {
        let out = self.out();
        out.restart || out.tls_after.is_some()
    }

    /// Registers the task to wait for bytes, commands or both. False if some are there already.
    pub(in crate::stream) fn park(
        &self,
        waker: &Waker,
        for_bytes: bool,
        for_commands: bool,
    ) -> bool {
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

    /// Marks the connection as gone, and drops the bytes that were not written.
    pub(in crate::stream) fn mark_gone(&self) {
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
}
