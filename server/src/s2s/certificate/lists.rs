//! Certificate revocation lists (RFC 5280 section 5). Nothing is fetched: the lists are the files of
//! the config.

use std::path::{Path, PathBuf};

use rustls::pki_types::CertificateRevocationListDer;
use sha2::{Digest, Sha256};
use webpki::{CertRevocationList, OwnedCertRevocationList};
use x509_parser::asn1_rs::FromDer;
use x509_parser::revocation_list::CertificateRevocationList;

use super::distrust::day;
use super::error::{CRLS, Remark, TrustFault};
use super::files;
use crate::plain::spelled;

/// A revocation list. Times are in seconds since 1970.
#[derive(Debug)]
pub(super) struct List {
    pub(super) list: CertRevocationList<'static>,
    pub(super) digest: [u8; 32],
    path: PathBuf,
    issuer: String,
    /// When the authority made the list.
    made: i64,
    /// When the authority makes the next list.
    next: i64,
}

/// Reads the lists of the config, the newest first, because webpki takes the first list of an
/// issuer. What cannot be used is passed to `refuse`.
pub(super) fn load(paths: &[PathBuf], mut refuse: impl FnMut(TrustFault)) -> Vec<List> {
    let mut all = Vec::new();
    for path in paths {
        match files::lists(path) {
            Ok(found) => {
                for der in found {
                    match read(path, &der) {
                        Ok(list) => all.push(list),
                        Err(reason) => refuse(TrustFault::List { path: path.clone(), reason }),
                    }
                }
            }
            Err(fault) => refuse(fault.into()),
        }
    }
    all.sort_by_key(|list: &List| std::cmp::Reverse(list.made));
    all
}

fn read(path: &Path, der: &CertificateRevocationListDer<'_>) -> Result<List, String> {
    let list = OwnedCertRevocationList::from_der(der).map_err(|error| {
        let text = error.to_string();
        spelled(text.split(|c: char| !c.is_ascii_alphanumeric()).next().unwrap_or_default())
    })?;
    let (_, parsed) =
        CertificateRevocationList::from_der(der).map_err(|_| "it is damaged".to_owned())?;
    let next = parsed.next_update().ok_or("it does not say when the next one is made")?;
    Ok(List {
        list: list.into(),
        digest: Sha256::digest(der).into(),
        path: path.to_owned(),
        issuer: parsed.issuer().to_string(),
        made: parsed.last_update().timestamp(),
        next: next.timestamp(),
    })
}

/// The lists that have expired at `now`, in seconds since 1970.
pub(super) fn remarks(lists: &[List], now: i64) -> Vec<Remark> {
    let old = lists.iter().filter(|list| list.next < now);
    old.map(|list| Remark {
        key: CRLS.to_owned(),
        message: format!(
            "{}: the revocation list of {:?} expired on {}",
            list.path.display(),
            list.issuer,
            day(list.next)
        ),
        help: "get the next one from the authority; until then, what this list has is refused, and \
               what was revoked later is not",
    })
    .collect()
}
