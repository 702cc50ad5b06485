//! The certificates that a domain may show, whoever issued them.

use std::collections::BTreeMap;
use std::path::PathBuf;

use rustls::pki_types::CertificateDer;
use sha2::{Digest, Sha256};
use x509_parser::asn1_rs::FromDer;
use x509_parser::certificate::X509Certificate;

use super::distrust::day;
use super::error::{Remark, TrustError};
use super::files::certificates;
use super::names::canonical;
use crate::config::{Pin, S2s};

/// The pins of all domains, by the name in ASCII, so that a domain has its pins in each of its
/// spellings.
#[derive(Debug, Default)]
pub(super) struct Pins(BTreeMap<String, Vec<Pinned>>);

/// A certificate that a domain may show.
#[derive(Debug, Clone)]
enum Pinned {
    Certificate {
        path: PathBuf,
        der: CertificateDer<'static>,
    },
    /// The SHA-256 digest of the certificate or of its SubjectPublicKeyInfo.
    Digest([u8; 32]),
}

impl Pins {
    /// Reads the pins of the config. What cannot be used is added to `errors`.
    pub(super) fn load(config: &S2s, errors: &mut Vec<TrustError>) -> Self {
        let mut all = BTreeMap::<String, Vec<Pinned>>::new();
        for (domain, pins) in &config.pins {
            let of_domain = all.entry(canonical(domain)).or_default();
            for pin in pins {
                match pin {
                    Pin::Fingerprint(digest) => of_domain.push(Pinned::Digest(*digest)),
                    Pin::File(path) => match certificates(path) {
                        Ok(found) => of_domain.extend(
                            found
                                .into_iter()
                                .map(|der| Pinned::Certificate { path: path.clone(), der }),
                        ),
                        Err(fault) => {
                            let key = S2s::pins_key(domain);
                            errors.push(TrustError { key, fault: fault.into() });
                        }
                    },
                }
            }
        }
        Self(all)
    }

    /// Whether a domain has pins.
    pub(super) fn has(&self, domain: &str) -> bool {
        self.0.contains_key(&canonical(domain))
    }

    /// Whether a certificate is one of the pins of a domain; `None` if the domain has no pins.
    pub(super) fn allow(
        &self,
        domain: &str,
        der: &CertificateDer<'_>,
        parsed: &X509Certificate<'_>,
    ) -> Option<bool> {
        let pins = self.0.get(&canonical(domain))?;
        let digests = [der, parsed.public_key().raw].map(digest);
        Some(pins.iter().any(|pin| match pin {
            Pinned::Certificate { der: pinned, .. } => pinned == der,
            Pinned::Digest(digest) => digests.contains(digest),
        }))
    }

    /// What is pinned and has expired at `now`, in seconds since 1970.
    pub(super) fn remarks(&self, now: i64) -> Vec<Remark> {
        let mut remarks = Vec::new();
        for (domain, pins) in &self.0 {
            for pin in pins {
                let Pinned::Certificate { path, der } = pin else { continue };
                let Ok((_, parsed)) = X509Certificate::from_der(der) else { continue };
                let end = parsed.validity().not_after.timestamp();
                if end < now {
                    remarks.push(Remark {
                        key: S2s::pins_key(domain),
                        message: format!(
                            "{}: the pinned certificate of {domain} expired on {}",
                            path.display(),
                            day(end)
                        ),
                        help: "put the server's new certificate there",
                    });
                }
            }
        }
        remarks
    }
}

/// The SHA-256 digest of a certificate or of a public key.
pub(super) fn digest(der: impl AsRef<[u8]>) -> [u8; 32] {
    Sha256::digest(der).into()
}
