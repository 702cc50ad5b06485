//! A certificate for hosts that have none: clients must be told to trust it.

use std::fs;
use std::io::{self, Write};
use std::path::Path;

use rcgen::{CertificateParams, DnType, KeyPair};
use rustls::sign::CertifiedKey;
use zeroize::Zeroizing;

use super::TlsError;
use super::certificate::{covers, load_pair};
use crate::storage::{create_data_folder, create_private_file, sync_folder};

const CERTIFICATE: &str = "self-signed.pem";
const KEY: &str = "self-signed.key";

/// The certificate in the data folder, if it covers all hosts; else a new one in its place.
pub(super) fn load_or_make(data: &Path, hosts: &[String]) -> Result<CertifiedKey, TlsError> {
    let (certificate, key) = (data.join(CERTIFICATE), data.join(KEY));
    if certificate.exists() && key.exists() {
        // One that cannot be read is as good as none: it is nobody's work that would be lost.
        if let Ok(kept) = load_pair(&certificate, &key)
            && hosts.iter().all(|host| covers(&kept, host))
        {
            return Ok(kept);
        }
    }
    create_data_folder(data)?;
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
    write(&key, Zeroizing::new(pair.serialize_pem()).as_bytes())?;
    write(&certificate, signed.pem().as_bytes())?;
    sync_folder(data).map_err(|source| TlsError::File { path: data.to_owned(), source })?;
    tracing::info!(hosts = %names.join(" "), "made a self-signed certificate");
    load_pair(&certificate, &key)
}

/// Replaces a file whole: a crash leaves the old one or the new one.
fn write(path: &Path, content: &[u8]) -> Result<(), TlsError> {
    let replace = || -> io::Result<()> {
        let new = path.with_extension("new");
        // One left over by a crash may be longer, or readable by others.
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
