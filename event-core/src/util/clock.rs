//! The clock of a server.

use std::time::{Duration, SystemTime};

use tokio::time::Instant;

/// The time of day: the system time at the start plus the time since then by Tokio's clock, which
/// tests can advance.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    pub(crate) wall: SystemTime,
    pub(crate) start: Instant,
}

impl Clock {
    pub(crate) fn start() -> Self {
        Self { wall: SystemTime::now(), start: Instant::now() }
    }

    /// The time since the start.
    pub(crate) fn elapsed(self) -> Duration {
        self.start.elapsed()
    }

    /// The time of day.
    pub(crate) fn now(self) -> SystemTime {
        self.wall + self.start.elapsed()
    }
}
