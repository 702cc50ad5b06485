//! Why the files and pins of `[s2s]` cannot be used, and what to do.

use std::path::PathBuf;

use thiserror::Error;

use crate::tls::TlsError;

/// A key of `[s2s]` whose certificates or lists cannot be used.
#[derive(Debug, Error)]
#[error("{fault}")]
pub struct TrustError {
    /// The full name of the key.
    pub(super) key: String,
    pub(super) fault: TrustFault,
}

/// What is wrong with the value of a key.
#[derive(Debug, Error)]
pub(super) enum TrustFault {
    /// A file cannot be read, or has something else.
    #[error(transparent)]
    File(#[from] TlsError),
    /// A certificate among the authorities cannot vouch for others.
    #[error("{}: the certificate of {subject} {unfit}", path.display())]
    NotAuthority {
        path: PathBuf,
        subject: Box<str>,
        /// The first DNS name in the certificate.
        name: Option<Box<str>>,
        unfit: Unfit,
    },
    /// A revocation list cannot be used.
    #[error("{}: the revocation list cannot be used: {reason}", path.display())]
    List { path: PathBuf, reason: String },
}

/// Why a certificate cannot vouch for others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub(super) enum Unfit {
    /// It cannot be parsed.
    #[error("cannot be used")]
    Damaged,
    /// RFC 5280 section 4.2.1.9.
    #[error("is not an authority's (its basic constraints have no cA)")]
    NoCa,
    /// RFC 5280 section 4.2.1.3.
    #[error("may not sign other certificates (its key usage has no keyCertSign)")]
    NoSigning,
    /// RFC 5280 section 4.2.1.12.
    #[error("is not for TLS (its extended key usage has neither serverAuth nor clientAuth)")]
    Usage,
}

impl TrustError {
    /// The full name of the key in the config.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// What to do.
    pub fn help(&self) -> String {
        match &self.fault {
            TrustFault::NotAuthority { path, name, unfit: Unfit::NoCa, .. } => format!(
                "leave it out; to trust a server's certificate for its own domain, pin it: \
                 [s2s.pins] {:?} = [{:?}]",
                name.as_deref().unwrap_or("example.org"),
                path.file_name().unwrap_or_default()
            ),
            TrustFault::NotAuthority { .. } => {
                "leave it out, or put the authority's own certificate in its place".to_owned()
            }
            TrustFault::List { .. } => "get the list from its authority again".to_owned(),
            TrustFault::File(_) if self.key == AUTHORITIES => {
                "set authorities in [s2s] to a PEM file of certificates, or leave it out".to_owned()
            }
            TrustFault::File(_) if self.key == CRLS => {
                "set crls in [s2s] to PEM files of revocation lists, or leave it out".to_owned()
            }
            TrustFault::File(_) => {
                "a pin is a PEM file with the server's certificate, or \"sha256:…\"".to_owned()
            }
        }
    }
}

/// The full names of the keys in the config.
pub(super) const AUTHORITIES: &str = "s2s.authorities";
pub(super) const CRLS: &str = "s2s.crls";

/// What will soon be wrong, or is already, without a reason to refuse the start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remark {
    /// The full name of the key in the config.
    pub key: String,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub help: &'static str,
}
