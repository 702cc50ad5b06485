//! A pair of a local and a remote domain: one queue, and at most one stream.
//!
//! A stanza that was written to a stream may still not arrive, because the other server may stop
//! before it reads the stanza. So a ping follows the stanzas (XEP-0199 §4.3). The other side
//! handles a stream in order, so any answer confirms the stanzas before the ping. If the stream
//! ends without an answer, the senders get an error: a lost or duplicate stanza would be worse.

use std::{sync::Arc, time::Duration};

use parking_lot::{Mutex, MutexGuard};

use event_core::{
    Expected, HostContext, Stanza, StanzaError,
    xml::{ElementBuilder, STANZA_NS},
};
use tokio::{
    sync::Notify,
    time::{Instant, sleep_until, timeout},
};

use super::{
    dial::Link,
    payer::{Payer, Payers, Place},
    queue::Queue,
};

/// After a first unconfirmed stanza, the time until a ping asks about all stanzas sent by then.
const GATHER: Duration = Duration::from_millis(20);
/// The time limit for the answer to a ping, and for a stream that takes no more bytes.
const TIMEOUT: Duration = Duration::from_secs(60);
/// The pause before a full stream is tried again.
const RETRY: Duration = Duration::from_millis(50);
/// The time that an answer may still arrive after the stream has ended.
const GRACE: Duration = Duration::from_secs(2);
/// The backoff after the first failure, and the longest backoff.
const PAUSE: (Duration, Duration) = (Duration::from_millis(500), Duration::from_secs(15));

/// See the [module](self).
#[derive(Debug)]
pub(super) struct Pair {
    pub(super) host: HostContext,
    pub(super) remote: Box<str>,
    /// Kept by the stream, too, until its file is closed.
    pub(super) place: Arc<Place>,
    state: Mutex<State>,
    /// Notified when the state or the wire has changed.
    pub(super) changed: Notify,
}

#[derive(Debug)]
struct State {
    queue: Queue,
    /// The task of this pair has ended. The next stanza needs a new pair.
    is_over: bool,
    /// The number of failures in a row, and the time of the last.
    failures: u32,
    failed: Option<Instant>,
    /// The stream is closed when every stanza has been written.
    is_closing: bool,
}

/// The result of an offer to a pair.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Offer {
    Taken,
    Full,
    Over,
}

/// How a stream ended.
enum Ended {
    /// The stream was idle, or the other side closed it without an error.
    Closed,
    Broken(String),
}

/// The action when a time has passed without an event.
enum Then {
    Write,
    Ping,
    Close,
    Fail(&'static str),
}

/// A ping that is not answered yet.
struct Ping {
    number: u64,
    answer: std::pin::Pin<Box<dyn Future<Output = bool> + Send>>,
    until: Instant,
}

impl Pair {
    pub(super) fn new(host: HostContext, remote: &str, queue: Queue, place: Place) -> Self {
        let state = State { queue, is_over: false, failures: 0, failed: None, is_closing: false };
        let state = Mutex::new(state);
        let place = Arc::new(place);
        Self { host, remote: remote.into(), place, state, changed: Notify::new() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock()
    }

    /// Adds a stanza to the queue.
    pub(super) fn offer(&self, stanza: &Stanza, payer: &Arc<Payer>, payers: &Payers) -> Offer {
        let size = stanza.element().as_bytes().len();
        let mut state = self.state();
        if state.is_over {
            return Offer::Over;
        }
        if !state.queue.has_room(payer, size) {
            return Offer::Full;
        }
        let Some(held) = payers.hold(payer, size) else { return Offer::Full };
        state.queue.push(stanza, held);
        drop(state);
        self.changed.notify_one();
        Offer::Taken
    }

    /// Ends the backoff, because the other server is known to run.
    pub(super) fn reset_backoff(&self) {
        let mut state = self.state();
        (state.failures, state.failed) = (0, None);
        drop(state);
        self.changed.notify_one();
    }

    /// Whether every stanza has been written and confirmed.
    pub(super) fn is_settled(&self) -> bool {
        let state = self.state();
        state.is_over || (state.queue.is_written() && state.queue.is_settled())
    }

    /// Those whose stanzas wait or are not confirmed.
    pub(super) fn payers(&self) -> Vec<Arc<Payer>> {
        self.state().queue.payers().cloned().collect()
    }

    /// Whether the stream ends when every stanza has been written.
    pub(super) fn is_closing(&self) -> bool {
        self.state().is_closing
    }

    /// The number of stanzas that wait or are not confirmed.
    pub(super) fn queued(&self) -> usize {
        self.state().queue.len()
    }

    /// Ends the stream when every stanza has been written.
    pub(super) fn close(&self) {
        self.state().is_closing = true;
        self.changed.notify_one();
    }

    /// Waits for the end of the backoff, or for [`Pair::reset_backoff`].
    pub(super) async fn pause(&self) {
        loop {
            let until = {
                let state = self.state();
                let Some(failed) = state.failed.filter(|_| !state.is_closing) else { return };
                let wait = PAUSE.0 * 2_u32.saturating_pow(state.failures.saturating_sub(1).min(8));
                failed + wait.min(PAUSE.1)
            };
            tokio::select! {
                () = sleep_until(until) => return,
                () = self.changed.notified() => {}
            }
        }
    }

    /// Ends the pair if no stanza waits. Then the pair accepts no more stanzas.
    pub(super) fn finish(&self) -> bool {
        let mut state = self.state();
        state.is_over = state.queue.is_written();
        state.is_over
    }

    /// Whether a stanza waits to be written.
    pub(super) fn has_waiting(&self) -> bool {
        !self.state().queue.is_written()
    }

    /// Returns the waiting stanzas to their senders, because no stream could be opened.
    pub(super) async fn refuse(&self, error: &StanzaError) {
        let waiting = self.state().queue.take_waiting();
        self.bounce(waiting, error).await;
    }

    async fn bounce(&self, stanzas: Vec<Stanza>, error: &StanzaError) {
        let Some(core) = self.host.core() else { return };
        for stanza in stanzas {
            core.bounce(&stanza, error).await;
        }
    }

    /// Writes to a stream until it ends.
    pub(super) async fn carry(&self, mut link: Link, idle: Duration, moved: &Notify) {
        let mut ping = None;
        let ended = self.write(&mut link, &mut ping, idle, moved).await;
        // Ends the stream even if the other side does not close its own.
        drop(link);
        if let Ended::Broken(reason) = &ended {
            tracing::info!(from = self.host.name(), to = %self.remote, reason, "the stream was lost");
            if let Some(ping) = &mut ping
                && !self.state().queue.is_waiting(ping.number)
                && timeout(GRACE, &mut ping.answer).await == Ok(true)
            {
                self.state().queue.settle(ping.number);
            }
        }
        let sent = {
            let mut state = self.state();
            // A server that closes its stream has handled the stanzas before (RFC 6120 §4.4).
            let sent = state.queue.take_sent();
            let is_useless = matches!(ended, Ended::Broken(_));
            state.failures = if is_useless { state.failures.saturating_add(1) } else { 0 };
            state.failed = is_useless.then(Instant::now);
            sent
        };
        if let Ended::Broken(reason) = ended {
            let error = StanzaError::remote_server_timeout()
                .text(format!("{}: {reason}; the stanza may not have arrived", self.remote));
            self.bounce(sent, &error).await;
        }
        moved.notify_waiters();
    }

    async fn write(
        &self,
        link: &mut Link,
        ping: &mut Option<Ping>,
        idle: Duration,
        moved: &Notify,
    ) -> Ended {
        let mut used = Instant::now();
        // The time since which stanzas are not confirmed.
        let mut open = None;
        loop {
            // Writes stanzas until the stream takes no more.
            let (is_blocked, is_settled, is_closing) = {
                let mut state = self.state();
                let mut is_blocked = false;
                while let Some(element) = state.queue.front() {
                    if !link.session.send(element) {
                        is_blocked = true;
                        break;
                    }
                    state.queue.mark_written();
                    (state.failures, state.failed) = (0, None);
                    used = Instant::now();
                }
                (is_blocked, state.queue.is_settled(), state.is_closing)
            };
            moved.notify_waiters();
            if is_settled && !is_blocked && is_closing {
                return Ended::Closed;
            }
            let now = Instant::now();
            open = if is_settled { None } else { open.or(Some(now)) };
            let (wait, then) = match (&*ping, open) {
                (Some(ping), _) => (ping.until, Then::Fail("no answer from the other server")),
                _ if is_blocked => (used + TIMEOUT, Then::Fail("the other server does not read")),
                (None, Some(_)) if is_closing => (now, Then::Ping),
                (None, Some(open)) => (open + GATHER, Then::Ping),
                (None, None) => (used + idle, Then::Close),
            };
            // Tries again after a pause, because the stream does not notify of space in its queue.
            let (wait, then) = match is_blocked && now + RETRY < wait {
                true => (now + RETRY, Then::Write),
                false => (wait, then),
            };
            tokio::select! {
                reason = &mut link.ended => return match reason {
                    Ok(None) => Ended::Closed,
                    Ok(Some(reason)) => Ended::Broken(reason),
                    Err(_) => Ended::Broken("the task of the stream failed".to_owned()),
                },
                () = self.changed.notified() => {}
                is_answered = answered(ping) => {
                    if let Some(ping) = ping.take() && is_answered {
                        self.state().queue.settle(ping.number);
                    }
                }
                () = sleep_until(wait) => match then {
                    Then::Write => {}
                    Then::Close => return Ended::Closed,
                    Then::Fail(reason) => return Ended::Broken(reason.to_owned()),
                    Then::Ping => {
                        *ping = self.ping();
                        if ping.is_none() {
                            let reason = "too many requests wait for answers";
                            return Ended::Broken(reason.to_owned());
                        }
                    }
                },
            }
        }
    }

    /// Queues a ping after the waiting stanzas.
    fn ping(&self) -> Option<Ping> {
        let ping = ElementBuilder::new("ping", "urn:xmpp:ping").build();
        let iq = ElementBuilder::new("iq", STANZA_NS)
            .attribute("type", "get")
            .attribute("to", &self.remote)
            .child(&ping);
        let core = self.host.core()?;
        let (stanza, expected) = core.expect_answer(self.host.host(), iq.build()).ok()?;
        let number = self.state().queue.ask(stanza);
        let answer = async move { Expected::answer(expected).await.is_some() };
        Some(Ping { number, answer: Box::pin(answer), until: Instant::now() + TIMEOUT })
    }
}

async fn answered(ping: &mut Option<Ping>) -> bool {
    match ping {
        Some(ping) => (&mut ping.answer).await,
        None => std::future::pending().await,
    }
}
