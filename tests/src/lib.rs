//! What the end-to-end tests share: a server process, clients that others wrote, and a module
//! that records events.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test that cannot go on has failed"
)]

pub mod client;
pub mod federation;
pub mod raw;
mod recorder;
pub mod server;
mod stopper;

event_core::module_crate!();

/// How long a test waits for what must happen; only a failure takes this long.
pub const PATIENCE: std::time::Duration = std::time::Duration::from_secs(30);
