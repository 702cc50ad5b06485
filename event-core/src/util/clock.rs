//! The time of day.

use std::time::SystemTime;

use tokio::time::Instant;

/// The time of day, moved on by the clock of the runtime, which tests can move.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    pub(crate) wall: SystemTime,
    pub(crate) start: Instant,
}

impl Clock {
    pub(crate) fn start() -> Self {
        Self { wall: SystemTime::now(), start: Instant::now() }
    }

    pub(crate) fn now(self) -> SystemTime {
        self.wall + self.start.elapsed()
    }
}
