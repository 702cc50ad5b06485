//! Certificates and keys from PEM files.

use std::fs;
use std::io;
use std::path::Path;

use rustls::client::verify_server_name;
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::ParsedCertificate;
use rustls::sign::CertifiedKey;
use zeroize::Zeroizing;

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
        .map_err(|error| pem_error(certificate, error, Wanted::Certificate))?;
    if chain.is_empty() {
        return Err(pem_error(certificate, pem::Error::NoItemsFound, Wanted::Certificate));
    }
    let private =
        PrivateKeyDer::from_pem_file(key).map_err(|error| pem_error(key, error, Wanted::Key))?;
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

/// What a PEM file should have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wanted {
    Certificate,
    Key,
    RevocationList,
}

/// Why a file has no certificate, key or list. The message never has any of the file's content, which may
/// be a key.
pub(crate) fn pem_error(path: &Path, error: pem::Error, wanted: Wanted) -> TlsError {
    let path = path.to_owned();
    match error {
        pem::Error::Io(source) if source.kind() != io::ErrorKind::InvalidData => {
            TlsError::File { path, source }
        }
        // It could be read a moment ago.
        _ => match fs::read(&path).map(Zeroizing::new) {
            Ok(content) => TlsError::Content { message: explain(&content, wanted), path },
            Err(source) => TlsError::File { path, source },
        },
    }
}

/// What a file has in place of a certificate or key, and what to do.
fn explain(content: &[u8], wanted: Wanted) -> &'static str {
    let has = |text: &str| content.windows(text.len()).any(|part| part == text.as_bytes());
    let is_text = std::str::from_utf8(content).is_ok();
    match wanted {
        Wanted::Key if has("BEGIN ENCRYPTED PRIVATE KEY-") || has("Proc-Type: 4,ENCRYPTED") => {
            "the private key is encrypted, and the server cannot ask for its passphrase; decrypt it \
             with openssl pkey -in FILE -out NEW"
        }
        Wanted::Key if has("BEGIN OPENSSH PRIVATE KEY-") => {
            "the file has a key for SSH; use the key that the certificate was requested with"
        }
        Wanted::Key if has("BEGIN CERTIFICATE-") && !has("PRIVATE KEY-") => {
            "the file has a certificate and no private key; are certificate and key swapped?"
        }
        Wanted::Certificate if has("BEGIN CERTIFICATE REQUEST-") => {
            "the file has a request for a certificate; use the certificate that the authority returned"
        }
        Wanted::Certificate if has("PRIVATE KEY-") && !has("BEGIN CERTIFICATE-") => {
            "the file has a private key and no certificate; are certificate and key swapped?"
        }
        Wanted::RevocationList if has("BEGIN X509 CRL-") => {
            "a revocation list in the file is damaged"
        }
        Wanted::Key if has("PRIVATE KEY-") => "the private key in the file is damaged",
        Wanted::Certificate if has("BEGIN CERTIFICATE-") => "a certificate in the file is damaged",
        Wanted::Key if is_text => "the file has no private key (expected PEM)",
        Wanted::Certificate if is_text => "the file has no certificate (expected PEM)",
        Wanted::RevocationList if is_text => "the file has no revocation list (expected PEM)",
        Wanted::RevocationList => {
            "the file is not PEM; openssl crl -inform DER -in FILE -out NEW converts it"
        }
        Wanted::Key => "the file is not PEM; openssl pkey -in FILE -out NEW converts it",
        Wanted::Certificate => "the file is not PEM; openssl x509 -in FILE -out NEW converts it",
    }
}
