//! Checks whether another server's certificate proves its domain (RFC 6120 section 13.7.2, RFC
//! 6125).
//!
//! The handshake accepts any certificate whose key the other side has
//! ([`crate::tls::AnyCertificate`]). After the handshake, the certificate is judged here, in the
//! same way for streams of both directions:
//!
//! ```text
//! let judgement = authorities.judge(&chain, domain, SystemTime::now());
//! let event = S2sCheckCertificate { is_trusted: judgement.is_trusted(), is_match: judgement.is_match, .. };
//! // The event is fired. Handlers may change both values; the domain is proved if both are true.
//! ```

use std::path::Path;
use std::time::SystemTime;

use jid::DomainPart;
use rustls::RootCertStore;
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use thiserror::Error;
use webpki::{EndEntityCert, ExtendedKeyUsageValidator, KeyPurposeIdIter, KeyUsage, VerifiedPath};
use x509_parser::asn1_rs::{Any, Class, FromDer, Oid, Tag, oid};
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::GeneralName;

use crate::config::S2s;
use crate::plain::spelled;
use crate::tls::{TlsError, Wanted, ascii, pem_error};

/// `id-on-xmppAddr` (RFC 6120 section 13.7.1.4).
const XMPP_ADDR: Oid<'_> = oid!(1.3.6.1.5.5.7.8.5);
/// `id-on-dnsSRV` (RFC 4985).
const DNS_SRV: Oid<'_> = oid!(1.3.6.1.5.5.7.8.7);
const ANY_USAGE: &[usize] = &[2, 5, 29, 37, 0];

/// The result of the check of another server's certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judgement {
    /// Whether the chain leads to a trusted authority and is valid now, or the reason why not.
    pub trust: Result<(), Distrust>,
    /// Whether the certificate is for the domain.
    pub is_match: bool,
}

impl Judgement {
    /// Whether the chain leads to a trusted authority and is valid now.
    pub fn is_trusted(&self) -> bool {
        self.trust.is_ok()
    }
}

/// Why a certificate is not trusted.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Distrust {
    /// The other side sent no certificate.
    #[error("the other side sent no certificate")]
    Missing,
    /// A certificate of the chain has expired.
    #[error("the certificate has expired")]
    Expired,
    /// A certificate of the chain is not valid yet.
    #[error("the certificate is not valid yet")]
    NotYetValid,
    /// The certificate is self-signed and not among the authorities.
    #[error("the certificate is self-signed")]
    SelfSigned,
    /// No known authority signed the certificate, or the chain is incomplete.
    #[error("the certificate is from an unknown authority, or its chain is incomplete")]
    UnknownAuthority,
    /// The extended key usage of the certificate does not allow TLS.
    #[error("the certificate is not meant for servers")]
    Usage,
    /// The chain has another fault.
    #[error("the certificate is not valid: {0}")]
    Invalid(Box<str>),
}

impl From<webpki::Error> for Distrust {
    fn from(error: webpki::Error) -> Self {
        use webpki::Error as E;
        match error {
            E::CertExpired { .. } => Self::Expired,
            E::CertNotValidYet { .. } => Self::NotYetValid,
            E::UnknownIssuer => Self::UnknownAuthority,
            E::RequiredEkuNotFoundContext(_) => Self::Usage,
            E::CaUsedAsEndEntity => Self::Invalid("it is an authority's".into()),
            other => {
                // Others are shown as in Rust's source, some with a struct behind the name.
                let text = other.to_string();
                let name = text.split(|c: char| !c.is_ascii_alphanumeric()).next();
                Self::Invalid(spelled(name.unwrap_or_default()).into())
            }
        }
    }
}

/// The trusted authorities.
#[derive(Debug, Clone)]
pub struct Authorities {
    roots: RootCertStore,
    /// The certificates of the config's file. They may be certificates of servers.
    pinned: Vec<CertificateDer<'static>>,
}

impl Authorities {
    /// Loads the system's authorities and the authorities of the file in `[s2s]`.
    ///
    /// # Errors
    ///
    /// The file of `[s2s]` cannot be used. If the system has no authorities, this is only logged,
    /// because those of the file may suffice.
    pub fn load(config: &S2s) -> Result<Self, TlsError> {
        let system = rustls_native_certs::load_native_certs();
        for error in &system.errors {
            tracing::warn!(%error, "not all of the system's certificate authorities can be used");
        }
        let mut roots = RootCertStore::empty();
        // Certificates that cannot be parsed are skipped.
        roots.add_parsable_certificates(system.certs);
        if roots.is_empty() {
            tracing::warn!("the system has no certificate authorities");
        }
        let pinned = config.authorities.as_deref().map(pem_file).transpose()?.unwrap_or_default();
        for (certificate, path) in pinned.iter().zip(config.authorities.iter().cycle()) {
            roots.add(certificate.clone()).map_err(|_| TlsError::Content {
                path: path.clone(),
                message: "the file has a certificate that cannot be used",
            })?;
        }
        Ok(Self { roots, pinned })
    }

    /// Judges, at the time `now`, whether the chain of the other side proves `domain`. The first
    /// certificate of the chain is the other side's own.
    pub fn judge<C: AsRef<[u8]>>(&self, chain: &[C], domain: &str, now: SystemTime) -> Judgement {
        let chain: Vec<CertificateDer<'_>> =
            chain.iter().map(|certificate| CertificateDer::from(certificate.as_ref())).collect();
        let Some((leaf, intermediates)) = chain.split_first() else {
            return Judgement { trust: Err(Distrust::Missing), is_match: false };
        };
        let end = match EndEntityCert::try_from(leaf) {
            Ok(end) => end,
            Err(error) => return Judgement { trust: Err(error.into()), is_match: false },
        };
        let path = self.path(&end, intermediates, now);
        // Name constraints apply to DNS names only. So other kinds of names do not count under a
        // constrained authority.
        let is_limited = path.as_ref().is_ok_and(is_limited);
        let trust = path.map(drop).or_else(|error| self.second_look(leaf, error, now));
        let is_match = names_dns(&end, domain) || (!is_limited && names_service(leaf, domain));
        Judgement { trust, is_match }
    }

    fn path<'p>(
        &'p self,
        end: &'p EndEntityCert<'_>,
        intermediates: &'p [CertificateDer<'p>],
        now: SystemTime,
    ) -> Result<VerifiedPath<'p>, webpki::Error> {
        // If the clock is before 1970, no certificate is valid yet.
        let now = now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        end.verify_for_usage(
            webpki::ALL_VERIFICATION_ALGS,
            &self.roots.roots,
            intermediates,
            UnixTime::since_unix_epoch(now),
            ClientOrServer,
            None,
            None,
        )
    }

    /// Decides about certificates that webpki refuses. A pinned certificate is trusted by itself,
    /// even if it is marked as an authority, which `openssl req -x509` does.
    fn second_look(
        &self,
        leaf: &CertificateDer<'_>,
        error: webpki::Error,
        now: SystemTime,
    ) -> Result<(), Distrust> {
        use webpki::Error as E;
        if !matches!(error, E::UnknownIssuer | E::CaUsedAsEndEntity) {
            return Err(error.into());
        }
        let Ok((_, parsed)) = X509Certificate::from_der(leaf) else {
            return Err(error.into());
        };
        if self.pinned.iter().any(|pinned| pinned == leaf) {
            return holds(&parsed, now);
        }
        match parsed.subject().as_raw() == parsed.issuer().as_raw() {
            true => Err(Distrust::SelfSigned),
            false => Err(error.into()),
        }
    }
}

/// Accepts certificates for clients and certificates for servers: a server is both, and public
/// authorities rarely issue certificates for both.
struct ClientOrServer;

impl ExtendedKeyUsageValidator for ClientOrServer {
    fn validate(&self, usages: KeyPurposeIdIter<'_, '_>) -> Result<(), webpki::Error> {
        let (mut is_empty, mut present) = (true, Vec::new());
        for usage in usages {
            is_empty = false;
            let usage = usage?.to_decoded_oid();
            let known = [KeyUsage::SERVER_AUTH_REPR, KeyUsage::CLIENT_AUTH_REPR, ANY_USAGE];
            if known.contains(&usage.as_slice()) {
                return Ok(());
            }
            present.push(usage);
        }
        let required = KeyUsage::server_auth();
        let context = webpki::RequiredEkuNotFoundContext { required, present };
        if is_empty { Ok(()) } else { Err(webpki::Error::RequiredEkuNotFoundContext(context)) }
    }
}

fn holds(certificate: &X509Certificate<'_>, now: SystemTime) -> Result<(), Distrust> {
    let now = now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let now = i64::try_from(now.as_secs()).unwrap_or(i64::MAX);
    let validity = certificate.validity();
    if now < validity.not_before.timestamp() {
        Err(Distrust::NotYetValid)
    } else if now > validity.not_after.timestamp() {
        Err(Distrust::Expired)
    } else {
        Ok(())
    }
}

fn is_limited(path: &VerifiedPath<'_>) -> bool {
    let is_limited = |der: CertificateDer<'_>| {
        // A certificate that cannot be parsed may have constraints.
        X509Certificate::from_der(&der)
            .is_ok_and(|(_, parsed)| matches!(parsed.name_constraints(), Ok(None)))
    };
    path.anchor().name_constraints.is_some()
        || path.intermediate_certificates().any(|certificate| !is_limited(certificate.der()))
}

/// Matches a DNS name or an address. A `*` matches the first label. The common name is ignored.
fn names_dns(end: &EndEntityCert<'_>, domain: &str) -> bool {
    let ascii = ascii(domain);
    let name = ascii.trim_start_matches('[').trim_end_matches(']');
    ServerName::try_from(name).is_ok_and(|name| end.verify_is_valid_for_subject_name(&name).is_ok())
}

/// Matches the XMPP-specific names: SRVName and XmppAddr.
fn names_service(leaf: &CertificateDer<'_>, domain: &str) -> bool {
    let Ok((_, parsed)) = X509Certificate::from_der(leaf) else {
        return false;
    };
    let Ok(Some(names)) = parsed.subject_alternative_name() else {
        return false;
    };
    names.value.general_names.iter().any(|name| match name {
        GeneralName::OtherName(kind, value) if *kind == XMPP_ADDR => {
            text(value).is_some_and(|address| is_same(address, domain))
        }
        GeneralName::OtherName(kind, value) if *kind == DNS_SRV => text(value)
            .and_then(|service| service.split_once('.'))
            .filter(|(service, _)| service.eq_ignore_ascii_case("_xmpp-server"))
            .is_some_and(|(_, named)| is_same(named, domain)),
        _ => false,
    })
}

fn is_same(named: &str, domain: &str) -> bool {
    DomainPart::new(named).is_ok_and(|named| ascii(&named) == ascii(domain))
}

/// The text of an `otherName`: a string within `[0] EXPLICIT`.
fn text(value: &[u8]) -> Option<&str> {
    let (_, outer) = Any::from_der(value).ok()?;
    if outer.class() != Class::ContextSpecific || outer.tag() != Tag(0) {
        return None;
    }
    let (_, inner) = Any::from_der(outer.data).ok()?;
    let is_text = matches!(inner.tag(), Tag::Utf8String | Tag::Ia5String);
    is_text.then(|| std::str::from_utf8(inner.data).ok()).flatten()
}

fn pem_file(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let all: Vec<_> = CertificateDer::pem_file_iter(path)
        .and_then(Iterator::collect)
        .map_err(|error| pem_error(path, error, Wanted::Certificate))?;
    match all.is_empty() {
        true => Err(pem_error(path, pem::Error::NoItemsFound, Wanted::Certificate)),
        false => Ok(all),
    }
}
