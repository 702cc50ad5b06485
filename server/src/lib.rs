//! The Spondee XMPP server as a library: a binary lists the bundles of modules that it links.
//!
//! ```no_run
//! fn main() -> std::process::ExitCode {
//!     spondee::main(&[spondee_modules::BUNDLE])
//! }
//! ```

pub mod accounts;
pub mod cli;
pub mod config;
mod control;
mod docs;
pub mod http;
pub mod net;
mod plain;
pub mod run;
pub mod s2s;
pub mod storage;
pub mod stream;
pub mod tls;

use event_core::Bundle;

/// Executes this process's command line with the modules of these bundles.
#[must_use = "scripts need the exit code"]
pub fn main(bundles: &[Bundle]) -> std::process::ExitCode {
    cli::run(std::env::args_os(), &cli::commands::Commands::new(bundles)).into()
}
