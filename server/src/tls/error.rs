//! Errors of TLS.

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
        /// The I/O error.
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
        /// The error of the TLS library.
        source: rustls::Error,
    },
    /// A self-signed certificate cannot be made.
    #[error("cannot make a self-signed certificate: {0}")]
    SelfSigned(#[from] rcgen::Error),
    /// The data folder cannot be used.
    #[error(transparent)]
    Data(#[from] StorageError),
    /// The TLS library returned an error.
    #[error("TLS cannot be set up: {0}")]
    Setup(#[from] rustls::Error),
}
