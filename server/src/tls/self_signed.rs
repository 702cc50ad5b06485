//! A self-signed certificate for hosts that have none. Clients must be told to trust it.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use rcgen::{CertificateParams, DnType, KeyPair};
use rustls::{
    pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer},
    sign::CertifiedKey,
};
use zeroize::Zeroizing;

use super::certificate::{covers, load_pair};
use super::{error::TlsError, provider::provider};
use crate::storage::{create_data_folder, create_private_file, sync_folder};

const CERTIFICATE: &str = "self-signed.pem";
const KEY: &str = "self-signed.key";

/// A certificate that is not stored in the data folder yet.
pub(super) struct Made {
    data: PathBuf,
    certificate: String,
    key: Zeroizing<String>,
    hosts: String,
}

impl std::fmt::Debug for Made {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Made({})", self.hosts)
    }
}

impl Made {
    /// Stores the certificate in the data folder, in place of an old one.
    pub(super) fn keep(&self) -> Result<(), TlsError> {
        let data = &self.data;
        create_data_folder(data)?;
        write(&data.join(KEY), self.key.as_bytes())?;
        write(&data.join(CERTIFICATE), self.certificate.as_bytes())?;
        sync_folder(data).map_err(|source| TlsError::File { path: data.clone(), source })?;
        tracing::info!(hosts = self.hosts, "made a self-signed certificate");
        Ok(())
    }
}

/// The certificate in the data folder, if it covers all hosts; otherwise a new one to store.
pub(super) fn load_or_make(
    data: &Path,
    hosts: &[String],
) -> Result<(CertifiedKey, Option<Made>), TlsError> {
    let (certificate, key) = (data.join(CERTIFICATE), data.join(KEY));
    if certificate.exists() && key.exists() {
        // A certificate that cannot be read is replaced, because it was generated.
        if let Ok(kept) = load_pair(&certificate, &key)
            && hosts.iter().all(|host| covers(&kept, host))
        {
            return Ok((kept, None));
        }
    }
    let names: Vec<&str> =
        hosts.iter().map(|host| host.trim_start_matches('[').trim_end_matches(']')).collect();
    let mut params =
        CertificateParams::new(names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>())?;
    params.distinguished_name.remove(DnType::CommonName);
    if let Some(first) = names.first() {
        params.distinguished_name.push(DnType::CommonName, *first);
    }
    let pair = KeyPair::generate()?;
    let signed = params.self_signed(&pair)?;
    let made = Made {
        data: data.to_owned(),
        certificate: signed.pem(),
        key: Zeroizing::new(pair.serialize_pem()),
        hosts: names.join(" "),
    };
    let private = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(pair.serialize_der()));
    let made_key = CertifiedKey::from_der(vec![signed.der().clone()], private, &provider())?;
    Ok((made_key, Some(made)))
}

/// Replaces a whole file. After a crash, the file is the old one or the new one.
fn write(path: &Path, content: &[u8]) -> Result<(), TlsError> {
    let replace = || -> io::Result<()> {
        let new = path.with_extension("new");
        // A file left by a crash may be longer, or readable by others.
        match fs::remove_file(&new) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut file = create_private_file(&new)?;
        file.write_all(content)?;
        file.sync_all()?;
        fs::rename(&new, path)
    };
    replace().map_err(|source| TlsError::File { path: path.to_owned(), source })
}
