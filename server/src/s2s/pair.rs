//! One of our domains writing to one domain elsewhere: one queue, and at most one stream.
//!
//! A stanza that was written to a stream may still not arrive: the other server may stop before it
//! has read it. So behind the stanzas goes a ping (XEP-0199 §4.3); as the other side deals with a
//! stream in order, its answer, whichever it is, says that they have arrived. When the stream ends
//! before, their senders get an error: better than silence, and than a second copy.

use std::{sync::Arc, time::Duration};

use parking_lot::{Mutex, MutexGuard};

use event_core::{
    Core, Host, Stanza, StanzaError,
    query::Expected,
    xml::{ElementBuilder, STANZA_NS},
};
use tokio::{
    sync::Notify,
    time::{Instant, sleep_until, timeout},
};

use super::{dial::Link, queue::Queue};

/// How long stanzas wait for company before a ping asks for all of them.
const GATHER: Duration = Duration::from_millis(20);
/// How long the answer to a ping, or the other side with its reading, may take.
const TIMEOUT: Duration = Duration::from_secs(60);
/// How long until a stream that took no more is tried again.
const RETRY: Duration = Duration::from_millis(50);
/// How long an answer under way may still take when the stream has ended.
const GRACE: Duration = Duration::from_secs(2);
/// How long after a failure the next attempt waits, at first and at most.
const PAUSE: (Duration, Duration) = (Duration::from_millis(500), Duration::from_secs(15));

/// See the [module](self).
#[derive(Debug)]
pub(super) struct Pair {
    pub(super) host: Arc<Host>,
    pub(super) remote: Box<str>,
    state: Mutex<State>,
    /// Something in the state, or in the wire, has changed.
    pub(super) changed: Notify,
}

#[derive(Debug)]
struct State {
    queue: Queue,
    /// The task has ended: a new pair is needed.
    is_over: bool,
    /// Failures in a row, and when the last was.
    failures: u32,
    failed: Option<Instant>,
    /// The stream is to be closed when all is written.
    is_closing: bool,
}

/// What became of an offer to a pair.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Offer {
    Taken,
    Full,
    Over,
}

/// How a stream ended.
enum Ended {
    /// Nothing was to be sent, or the other side closed it with nothing wrong.
    Closed,
    Broken(String),
}

/// What to do when nothing has happened for a while.
enum Then {
    Write,
    Ping,
    Close,
    Fail(&'static str),
}

/// The ping under way.
struct Ping {
    number: u64,
    answer: std::pin::Pin<Box<dyn Future<Output = bool> + Send>>,
    until: Instant,
}

impl Pair {
    pub(super) fn new(host: Arc<Host>, remote: &str, queue: Queue) -> Self {
        let state = State { queue, is_over: false, failures: 0, failed: None, is_closing: false };
        let state = Mutex::new(state);
        Self { host, remote: remote.into(), state, changed: Notify::new() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock()
    }

    /// Offers a stanza.
    pub(super) fn offer(&self, stanza: &Stanza) -> Offer {
        let mut state = self.state();
        if state.is_over {
            return Offer::Over;
        }
        if !state.queue.push(stanza) {
            return Offer::Full;
        }
        drop(state);
        self.changed.notify_one();
        Offer::Taken
    }

    /// The other server has shown that it is there: no more waiting.
    pub(super) fn reset_backoff(&self) {
        let mut state = self.state();
        (state.failures, state.failed) = (0, None);
        drop(state);
        self.changed.notify_one();
    }

    /// Whether nothing waits and everything has arrived.
    pub(super) fn is_settled(&self) -> bool {
        let state = self.state();
        state.is_over || (state.queue.is_written() && state.queue.is_settled())
    }

    /// How many stanzas wait or may not have arrived.
    pub(super) fn queued(&self) -> usize {
        self.state().queue.len()
    }

    /// Ends the stream when all is written.
    pub(super) fn close(&self) {
        self.state().is_closing = true;
        self.changed.notify_one();
    }

    /// After a failure, waits until it is time to try again or the other side is heard of.
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

    /// Whether everything was written; no more is taken then.
    pub(super) fn finish(&self) -> bool {
        let mut state = self.state();
        state.is_over = state.queue.is_written();
        state.is_over
    }

    /// Whether something waits to be written.
    pub(super) fn has_waiting(&self) -> bool {
        !self.state().queue.is_written()
    }

    /// Refuses what waits, as there is no stream.
    pub(super) async fn refuse(&self, error: &StanzaError) {
        tracing::info!(from = self.host.name(), to = %self.remote, %error, "not reached");
        let waiting = {
            let mut state = self.state();
            state.failures = state.failures.saturating_add(1);
            state.failed = Some(Instant::now());
            state.queue.take_waiting()
        };
        self.bounce(waiting, error).await;
    }

    async fn bounce(&self, stanzas: Vec<Stanza>, error: &StanzaError) {
        let core = self.host.core();
        for stanza in stanzas {
            core.bounce(&stanza, error).await;
        }
    }

    /// Writes to a stream until it ends.
    pub(super) async fn carry(&self, mut link: Link, idle: Duration, moved: &Notify) {
        let mut ping = None;
        let ended = self.write(&mut link, &mut ping, idle, moved).await;
        // Closing it is the end of it, also where the other side does not close its own.
        link.session.close(None);
        if let Ended::Broken(reason) = &ended {
            tracing::info!(from = self.host.name(), to = %self.remote, reason, "stream lost");
            if let Some(ping) = &mut ping
                && !self.state().queue.is_waiting(ping.number)
                && timeout(GRACE, &mut ping.answer).await == Ok(true)
            {
                self.state().queue.settle(ping.number);
            }
        }
        let sent = {
            let mut state = self.state();
            // Who closes its stream in order has dealt with what came before (RFC 6120 §4.4).
            let sent = state.queue.take_sent();
            let is_useless = matches!(ended, Ended::Broken(_));
            state.failures = if is_useless { state.failures.saturating_add(1) } else { 0 };
            state.failed = is_useless.then(Instant::now);
            sent
        };
        if let Ended::Broken(reason) = ended {
            let error = StanzaError::remote_server_timeout()
                .text(format!("{}: {reason}; it may not have arrived", self.remote));
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
        // Since when something is not known to have arrived.
        let mut open = None;
        loop {
            // All that there is room for.
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
            // Nobody tells when there is room again.
            let (wait, then) = match is_blocked && now + RETRY < wait {
                true => (now + RETRY, Then::Write),
                false => (wait, then),
            };
            tokio::select! {
                reason = &mut link.ended => return match reason {
                    Ok(None) => Ended::Closed,
                    Ok(Some(reason)) => Ended::Broken(reason),
                    Err(_) => Ended::Broken("the stream broke off".to_owned()),
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

    /// Asks, behind all that waits, for any answer.
    fn ping(&self) -> Option<Ping> {
        let ping = ElementBuilder::new("ping", "urn:xmpp:ping").build();
        let iq = ElementBuilder::new("iq", STANZA_NS)
            .attribute("type", "get")
            .attribute("to", &self.remote)
            .child(&ping);
        let (stanza, expected) = Core::expect(&self.host, iq.build()).ok()?;
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
