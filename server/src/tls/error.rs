//! What can go wrong with TLS.

use std::{io, path::PathBuf};

use thiserror::Error;

use crate::storage::StorageError;

/// Why TLS cannot be set up.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum TlsError {
    /// A file cannot be read or written.
    #[error("cannot use {}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A file has the wrong content.
    #[error("{}: {message}", path.display())]
    Content {
        /// The file.
        path: PathBuf,
        /// What is wrong, without any of the content.
        message: &'static str,
    },
    /// Certificate and key do not work together.
    #[error("the key {} cannot be used with the certificate {}: {source}", key.display(), certificate.display())]
    Pair {
        /// The certificate's file.
        certificate: PathBuf,
        /// The key's file.
        key: PathBuf,
        /// What the TLS library said.
        source: rustls::Error,
    },
    /// A self-signed certificate cannot be made.
    #[error("cannot make a self-signed certificate: {0}")]
    SelfSigned(#[from] rcgen::Error),
    /// The data folder cannot be used.
    #[error(transparent)]
    Data(#[from] StorageError),
    /// The TLS library refuses to work.
    #[error("TLS cannot be set up: {0}")]
    Setup(#[from] rustls::Error),
}
