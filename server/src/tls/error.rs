//! Errors of TLS.

use std::{io, path::PathBuf};

use thiserror::Error;

use crate::{plain::spelled, storage::StorageError};

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
    #[error(
        "the key {} cannot be used with the certificate {}: {}",
        key.display(), certificate.display(), words(source)
    )]
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
    /// The config has no host.
    #[error("the config has no host")]
    NoHost,
    /// The data folder cannot be used.
    #[error(transparent)]
    Data(#[from] StorageError),
    /// The TLS library returned an error.
    #[error("TLS cannot be set up: {}", words(.0))]
    Setup(#[from] rustls::Error),
}

/// An error of the TLS library in words: most of its own are names of Rust's types.
fn words(error: &rustls::Error) -> String {
    match error {
        rustls::Error::InconsistentKeys(_) => "it is the key of another certificate".to_owned(),
        rustls::Error::InvalidCertificate(_) => "the certificate is damaged".to_owned(),
        other => spelled(&other.to_string()),
    }
}
