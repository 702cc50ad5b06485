//! The authorities that vouch for the certificates of servers (RFC 5280 section 6.1.1).
//!
//! webpki takes the name, the key and the name constraints of an authority. The rest of what the
//! certificate of the authority says is checked here: that it is an authority's at all, its dates,
//! and the length of the path below it.

use std::path::Path;

use rustls::pki_types::{CertificateDer, TrustAnchor, UnixTime};
use webpki::{Error as E, VerifiedPath};
use x509_parser::asn1_rs::FromDer;
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::GeneralName;

use super::error::{TrustFault, Unfit};

/// The trusted authorities.
#[derive(Debug, Default)]
pub(super) struct Anchors {
    anchors: Vec<TrustAnchor<'static>>,
    /// What the certificates of the anchors say, at the same indices.
    limits: Vec<Limits>,
    /// The certificates of the config's file.
    listed: Vec<CertificateDer<'static>>,
}

/// The limits in the certificate of an authority.
#[derive(Debug, Clone, Copy)]
struct Limits {
    not_before: UnixTime,
    not_after: UnixTime,
    /// The greatest number of authorities below it.
    path_len: Option<u32>,
}

impl Anchors {
    /// Adds the authorities of the system. What vouches for nobody is left out.
    pub(super) fn add_system(&mut self, certificates: Vec<CertificateDer<'static>>) {
        for certificate in certificates {
            match anchor(&certificate) {
                Ok(anchor) => self.push(anchor),
                Err(Unfit::NoCa) => {
                    tracing::warn!(
                        subject = %subject(&certificate),
                        "a certificate among the system's authorities is not an authority's, and is not used"
                    );
                }
                Err(unfit) => {
                    tracing::debug!(
                        subject = %subject(&certificate),
                        ?unfit,
                        "one of the system's authorities is not used"
                    );
                }
            }
        }
    }

    /// Adds the authorities of a file.
    ///
    /// # Errors
    ///
    /// A certificate is not an authority's.
    pub(super) fn add_file(
        &mut self,
        path: &Path,
        certificates: Vec<CertificateDer<'static>>,
    ) -> Result<(), TrustFault> {
        for certificate in certificates {
            let anchor = anchor(&certificate).map_err(|unfit| TrustFault::NotAuthority {
                path: path.to_owned(),
                subject: subject(&certificate),
                name: dns_name(&certificate),
                unfit,
            })?;
            self.push(anchor);
            self.listed.push(certificate);
        }
        Ok(())
    }

    fn push(&mut self, (anchor, limits): (TrustAnchor<'static>, Limits)) {
        self.anchors.push(anchor);
        self.limits.push(limits);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.anchors.is_empty()
    }

    /// The anchors for webpki. A path that webpki finds must also pass [`Anchors::check`].
    pub(super) fn all(&self) -> &[TrustAnchor<'static>] {
        &self.anchors
    }

    /// Whether a certificate is in the config's file. Such an authority may show its own
    /// certificate.
    pub(super) fn has(&self, certificate: &CertificateDer<'_>) -> bool {
        self.listed.iter().any(|listed| listed == certificate)
    }

    /// The authorities of the config's file that have expired.
    pub(super) fn expired(&self, now: UnixTime) -> impl Iterator<Item = (Box<str>, UnixTime)> {
        // Those of the file were added last.
        let limits = self.limits.iter().rev().zip(self.listed.iter().rev());
        limits
            .filter(move |(limits, _)| limits.not_after < now)
            .map(|(limits, certificate)| (subject(certificate), limits.not_after))
    }

    /// Checks what webpki does not: the dates and the path length of the authority's own
    /// certificate, and the key usage of the authorities in between.
    pub(super) fn check(&self, path: &VerifiedPath<'_>, now: UnixTime) -> Result<(), E> {
        let mut anchors = self.anchors.iter().zip(&self.limits);
        let found = anchors.find(|(anchor, _)| std::ptr::eq(*anchor, path.anchor()));
        let (_, limits) = found.ok_or(E::UnknownIssuer)?;
        if now < limits.not_before {
            return Err(E::CertNotValidYet { time: now, not_before: limits.not_before });
        }
        if now > limits.not_after {
            return Err(E::CertExpired { time: now, not_after: limits.not_after });
        }
        let mut below = 0;
        for authority in path.intermediate_certificates() {
            let der = authority.der();
            let (_, parsed) = X509Certificate::from_der(&der).map_err(|_| E::BadDer)?;
            may_sign(&parsed).map_err(|_| E::EndEntityUsedAsCa)?;
            // Self-issued certificates do not count (RFC 5280 section 4.2.1.9).
            below += u32::from(authority.subject() != authority.issuer());
        }
        match limits.path_len {
            Some(most) if below > most => Err(E::PathLenConstraintViolated),
            _ => Ok(()),
        }
    }
}

/// The anchor of an authority's certificate.
fn anchor(certificate: &CertificateDer<'_>) -> Result<(TrustAnchor<'static>, Limits), Unfit> {
    let (_, parsed) = X509Certificate::from_der(certificate).map_err(|_| Unfit::Damaged)?;
    let constraints = parsed.basic_constraints().map_err(|_| Unfit::Damaged)?;
    let constraints = constraints.filter(|found| found.value.ca).ok_or(Unfit::NoCa)?;
    may_sign(&parsed)?;
    let usage = parsed.extended_key_usage().map_err(|_| Unfit::Damaged)?;
    if usage.is_some_and(|usage| {
        let usage = usage.value;
        !(usage.any || usage.server_auth || usage.client_auth)
    }) {
        return Err(Unfit::Usage);
    }
    let anchor = webpki::anchor_from_trusted_cert(certificate).map_err(|_| Unfit::Damaged)?;
    let validity = parsed.validity();
    let limits = Limits {
        not_before: unix(validity.not_before.timestamp()),
        not_after: unix(validity.not_after.timestamp()),
        path_len: constraints.value.path_len_constraint,
    };
    Ok((anchor.to_owned(), limits))
}

/// Whether the key usage of an authority, if it has one, allows signatures of certificates.
fn may_sign(authority: &X509Certificate<'_>) -> Result<(), Unfit> {
    let usage = authority.key_usage().map_err(|_| Unfit::Damaged)?;
    match usage.is_none_or(|usage| usage.value.key_cert_sign()) {
        true => Ok(()),
        false => Err(Unfit::NoSigning),
    }
}

/// Seconds since 1970; times before are 1970.
fn unix(seconds: i64) -> UnixTime {
    UnixTime::since_unix_epoch(std::time::Duration::from_secs(
        u64::try_from(seconds).unwrap_or_default(),
    ))
}

/// The subject of a certificate, quoted.
pub(super) fn subject(certificate: &CertificateDer<'_>) -> Box<str> {
    match X509Certificate::from_der(certificate) {
        Ok((_, parsed)) => format!("{:?}", parsed.subject().to_string()).into(),
        Err(_) => "an unknown subject".into(),
    }
}

fn dns_name(certificate: &CertificateDer<'_>) -> Option<Box<str>> {
    let (_, parsed) = X509Certificate::from_der(certificate).ok()?;
    let names = parsed.subject_alternative_name().ok()??;
    names.value.general_names.iter().find_map(|name| match name {
        GeneralName::DNSName(name) => Some((*name).into()),
        _ => None,
    })
}
