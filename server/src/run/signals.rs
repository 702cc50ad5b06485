//! The signals that stop a server or reload its config.

use std::io;

use tokio::signal::unix::{SignalKind, signal};

/// The signals that stop a server or reload its config.
pub(super) struct Signals {
    terminate: tokio::signal::unix::Signal,
    interrupt: tokio::signal::unix::Signal,
    reload: tokio::signal::unix::Signal,
}

impl Signals {
    pub(super) fn new() -> io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            reload: signal(SignalKind::hangup())?,
        })
    }

    pub(super) async fn next(&mut self) -> Signal {
        tokio::select! {
            _ = self.terminate.recv() => Signal::Stop,
            _ = self.interrupt.recv() => Signal::Stop,
            _ = self.reload.recv() => Signal::Reload,
        }
    }

    /// Waits for a signal to stop.
    pub(super) async fn stop(&mut self) {
        while self.next().await != Signal::Stop {}
    }
}

#[derive(PartialEq, Eq)]
pub(super) enum Signal {
    Stop,
    Reload,
}
