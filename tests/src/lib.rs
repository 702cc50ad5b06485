//! Shared parts of the end-to-end tests: a server process, clients, and a module that records
//! events.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test that cannot continue has failed"
)]

pub mod client;
pub mod federation;
pub mod raw;
mod recorder;
pub mod server;
mod stopper;

event_core::module_crate!(namespaces = ["urn:test:stop"]);

/// The timeout of every wait in a test; only a failure takes this long.
pub const TIMEOUT: std::time::Duration = std::time::Duration::from_secs(30);
