//! Certificates and revocation lists from PEM files.

use std::path::Path;

use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, CertificateRevocationListDer};

use crate::tls::{TlsError, Wanted, pem_error};

/// The certificates of a file, at least one.
///
/// # Errors
///
/// The file cannot be read, or has no certificate.
pub(super) fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    all(path, Wanted::Certificate)
}

/// The revocation lists of a file, at least one.
///
/// # Errors
///
/// The file cannot be read, or has no list.
pub(super) fn lists(path: &Path) -> Result<Vec<CertificateRevocationListDer<'static>>, TlsError> {
    all(path, Wanted::RevocationList)
}

fn all<T: PemObject>(path: &Path, wanted: Wanted) -> Result<Vec<T>, TlsError> {
    let all: Vec<T> = T::pem_file_iter(path)
        .and_then(Iterator::collect)
        .map_err(|error| pem_error(path, error, wanted))?;
    match all.is_empty() {
        true => Err(pem_error(path, pem::Error::NoItemsFound, wanted)),
        false => Ok(all),
    }
}
