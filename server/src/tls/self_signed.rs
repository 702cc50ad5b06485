//! A self-signed certificate for hosts that have none. Clients must be told to trust it.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rcgen::{CertificateParams, DnType, KeyPair};
use rustls::{
    pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer},
    sign::CertifiedKey,
};
use zeroize::Zeroizing;

use super::certificate::{covers, load_pair};
use super::{error::TlsError, provider::provider};
use crate::storage::{create_data_folder, create_private_file, sync_folder};

/// A certificate that is not stored in the data folder yet.
pub(super) struct Made {
    data: PathBuf,
    slot: usize,
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
    /// Stores the certificate in the data folder.
    pub(super) fn keep(&self) -> Result<(), TlsError> {
        let data = &self.data;
        let (certificate, key) = files(data, self.slot);
        create_data_folder(data)?;
        write(&key, self.key.as_bytes())?;
        write(&certificate, self.certificate.as_bytes())?;
        sync_folder(data).map_err(|source| TlsError::File { path: data.clone(), source })?;
        tracing::info!(hosts = self.hosts, "made a self-signed certificate");
        Ok(())
    }
}

/// The files of a certificate and its key.
fn files(data: &Path, slot: usize) -> (PathBuf, PathBuf) {
    let name = if slot == 0 { String::new() } else { format!("-{slot}") };
    let file = |end| data.join(format!("self-signed{name}.{end}"));
    (file("pem"), file("key"))
}

/// The certificate of each host. Clients may have been told to trust one, so those in the data
/// folder stay in use, and hosts that none of them covers share a new one, to be stored.
pub(super) fn load_or_make(
    data: &Path,
    hosts: &[String],
) -> Result<(Vec<Arc<CertifiedKey>>, Option<Made>), TlsError> {
    let mut kept = Vec::new();
    let slot = loop {
        let (certificate, key) = files(data, kept.len());
        // One that cannot be read is replaced, as it was generated.
        match load_pair(&certificate, &key) {
            Ok(pair) => kept.push(Arc::new(pair)),
            Err(_) => break kept.len(),
        }
    };
    let find = |host: &String| kept.iter().find(|kept| covers(kept, host)).cloned();
    let missing: Vec<String> = hosts.iter().filter(|host| find(host).is_none()).cloned().collect();
    if missing.is_empty() {
        return Ok((hosts.iter().filter_map(find).collect(), None));
    }
    let (new, made) = make(data, slot, &missing)?;
    let new = Arc::new(new);
    let all = hosts.iter().map(|host| find(host).unwrap_or_else(|| Arc::clone(&new)));
    Ok((all.collect(), Some(made)))
}

fn make(data: &Path, slot: usize, hosts: &[String]) -> Result<(CertifiedKey, Made), TlsError> {
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
        slot,
        certificate: signed.pem(),
        key: Zeroizing::new(pair.serialize_pem()),
        hosts: names.join(" "),
    };
    let private = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(pair.serialize_der()));
    let made_key = CertifiedKey::from_der(vec![signed.der().clone()], private, &provider())?;
    Ok((made_key, made))
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
