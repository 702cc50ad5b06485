//! Why a command failed.

use std::io;

use thiserror::Error;

use crate::{accounts::AccountStoreError, config::InvalidConfig, storage::StorageError};

/// Why a command failed.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum CliError {
    /// The config is wrong.
    #[error(transparent)]
    Config(#[from] InvalidConfig),
    /// Storage failed.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// The account could not be made, changed or read.
    #[error(transparent)]
    Account(#[from] AccountStoreError),
    /// The host is not in the config.
    #[error("the host {host} is not in the config; the config has {}", .known.join(", "))]
    NoHost {
        /// The host of the command.
        host: String,
        /// The hosts of the config.
        known: Vec<String>,
    },
    /// There is no password.
    #[error("{0}")]
    Password(&'static str),
    /// A file or the terminal failed.
    #[error("{what}: {source}")]
    Io {
        /// What was read or written.
        what: String,
        /// The I/O error.
        source: io::Error,
    },
    /// A running server refused.
    #[error("{0}")]
    Server(String),
}
