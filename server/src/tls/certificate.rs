//! Certificates and keys from PEM files.

use std::io;
use std::path::Path;

use rustls::client::verify_server_name;
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::ParsedCertificate;
use rustls::sign::CertifiedKey;

use super::{error::TlsError, name::server_name, provider::provider};
use crate::config::TlsFiles;

/// Loads a certificate chain and its key, and checks that they belong together.
///
/// # Errors
///
/// A file cannot be read or has the wrong content, or certificate and key do not match.
pub fn load(files: &TlsFiles) -> Result<CertifiedKey, TlsError> {
    load_pair(&files.certificate, &files.key)
}

pub(super) fn load_pair(certificate: &Path, key: &Path) -> Result<CertifiedKey, TlsError> {
    let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_file_iter(certificate)
        .and_then(Iterator::collect)
        .map_err(|error| pem_error(certificate, error, "the file has no certificate"))?;
    if chain.is_empty() {
        let message = "the file has no certificate (expected PEM)";
        return Err(TlsError::Content { path: certificate.to_owned(), message });
    }
    let private = PrivateKeyDer::from_pem_file(key)
        .map_err(|error| pem_error(key, error, "the file has no private key (expected PEM)"))?;
    CertifiedKey::from_der(chain, private, &provider()).map_err(|source| TlsError::Pair {
        certificate: certificate.to_owned(),
        key: key.to_owned(),
        source,
    })
}

/// Whether a certificate is for a host.
pub fn covers(certificate: &CertifiedKey, host: &str) -> bool {
    let Some(name) = server_name(host) else {
        return false;
    };
    let Ok(end) = certificate.end_entity_cert() else {
        return false;
    };
    ParsedCertificate::try_from(end).is_ok_and(|end| verify_server_name(&end, &name).is_ok())
}

/// Converts an error. The message has none of the file's content, which may be a key.
pub(crate) fn pem_error(path: &Path, error: pem::Error, nothing: &'static str) -> TlsError {
    let path = path.to_owned();
    match error {
        pem::Error::Io(source) if source.kind() == io::ErrorKind::InvalidData => {
            TlsError::Content { path, message: "the file is not PEM" }
        }
        pem::Error::Io(source) => TlsError::File { path, source },
        pem::Error::NoItemsFound => TlsError::Content { path, message: nothing },
        _ => TlsError::Content { path, message: "the file is not PEM" },
    }
}
