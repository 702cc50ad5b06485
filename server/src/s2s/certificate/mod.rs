//! Checks whether another server's certificate proves its domain (RFC 6120 section 13.7.2, RFC
//! 9525).
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
//!
//! A domain with pins is judged by its pins alone. All others are judged by the authorities, the
//! revocation lists and the names in the certificate.

mod anchors;
mod distrust;
mod error;
mod files;
mod lists;
mod names;
mod pins;

use std::time::{Duration, SystemTime};

use rustls::pki_types::{CertificateDer, UnixTime};
use sha2::{Digest, Sha256};
use webpki::{
    CertRevocationList, EndEntityCert, ExpirationPolicy, ExtendedKeyUsageValidator,
    KeyPurposeIdIter, KeyUsage, RevocationOptionsBuilder, UnknownStatusPolicy, VerifiedPath,
};
use x509_parser::asn1_rs::FromDer;
use x509_parser::certificate::X509Certificate;

use self::anchors::Anchors;
pub use self::distrust::Distrust;
pub use self::error::{Remark, TrustError};
use self::lists::List;
use self::pins::Pins;
use crate::config::{S2s, fingerprint};

const ANY_USAGE: &[usize] = &[2, 5, 29, 37, 0];

/// The result of the check of another server's certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judgement {
    /// Whether the chain leads to a trusted authority and is valid now, or the certificate is
    /// pinned; or the reason why not.
    pub trust: Result<(), Distrust>,
    /// Whether the certificate is for the domain, by its names or as a pin.
    pub is_match: bool,
}

impl Judgement {
    /// Whether the chain leads to a trusted authority and is valid now, or the certificate is
    /// pinned.
    pub fn is_trusted(&self) -> bool {
        self.trust.is_ok()
    }

    fn refused(why: Distrust) -> Self {
        Self { trust: Err(why), is_match: false }
    }

    /// Why the certificate does not prove the domain, or did not satisfy a module.
    pub fn reason<C: AsRef<[u8]>>(&self, chain: &[C]) -> String {
        match &self.trust {
            Err(distrust) => distrust.to_string(),
            Ok(()) if self.is_match => "a module does not accept the certificate".to_owned(),
            Ok(()) => {
                let leaf =
                    chain.first().and_then(|leaf| X509Certificate::from_der(leaf.as_ref()).ok());
                let names = leaf.map(|(_, leaf)| names::described(&leaf)).unwrap_or_default();
                format!("the certificate is made out to {names}")
            }
        }
    }
}

/// What the certificates of other servers are judged by.
#[derive(Debug, Default)]
pub struct Authorities {
    anchors: Anchors,
    pins: Pins,
    lists: Vec<List>,
    /// A digest of all of them.
    digest: [u8; 32],
}

impl Authorities {
    /// Loads the system's authorities, and the authorities, pins and revocation lists of `[s2s]`.
    ///
    /// # Errors
    ///
    /// What is set in `[s2s]` and cannot be used. If the system has no authorities, this is only
    /// logged, because those of the file may suffice.
    pub fn load(config: &S2s) -> Result<Self, Vec<TrustError>> {
        let system = rustls_native_certs::load_native_certs();
        for error in &system.errors {
            tracing::warn!(%error, "not all of the system's certificate authorities can be used");
        }
        let mut anchors = Anchors::default();
        let mut content = Sha256::new();
        system.certs.iter().for_each(|certificate| content.update(certificate));
        anchors.add_system(system.certs);
        if anchors.is_empty() {
            tracing::warn!("the system has no certificate authorities");
        }
        let mut errors = Vec::new();
        if let Some(path) = &config.authorities {
            let added = files::certificates(path).map_err(Into::into).and_then(|found| {
                found.iter().for_each(|certificate| content.update(certificate));
                anchors.add_file(path, found)
            });
            if let Err(fault) = added {
                errors.push(TrustError { key: error::AUTHORITIES.to_owned(), fault });
            }
        }
        let pins = Pins::load(config, &mut errors);
        let lists = lists::load(&config.crls, |fault| {
            errors.push(TrustError { key: error::CRLS.to_owned(), fault });
        });
        content.update(format!("{pins:?}"));
        lists.iter().for_each(|list| content.update(list.digest));
        match errors.is_empty() {
            true => Ok(Self { anchors, pins, lists, digest: content.finalize().into() }),
            false => Err(errors),
        }
    }

    /// Whether the other has the same authorities, pins and lists.
    pub fn is_same(&self, other: &Self) -> bool {
        self.digest == other.digest
    }

    /// Whether a domain has pins, so that nothing else proves it.
    pub fn has_pins(&self, domain: &str) -> bool {
        self.pins.has(domain)
    }

    /// What of the config has expired at the time `now`.
    pub fn remarks(&self, now: SystemTime) -> Vec<Remark> {
        let seconds = seconds(now);
        let expired = self.anchors.expired(unix(now)).map(|(subject, end)| Remark {
            key: error::AUTHORITIES.to_owned(),
            message: format!(
                "the authority {subject} expired on {}",
                distrust::day(i64::try_from(end.as_secs()).unwrap_or(i64::MAX))
            ),
            help: "put its new certificate into the file of authorities",
        });
        let mut remarks: Vec<Remark> = expired.collect();
        remarks.extend(self.pins.remarks(seconds));
        remarks.extend(lists::remarks(&self.lists, seconds));
        remarks
    }

    /// Judges, at the time `now`, whether the chain of the other side proves `domain`. The first
    /// certificate of the chain is the other side's own.
    pub fn judge<C: AsRef<[u8]>>(&self, chain: &[C], domain: &str, now: SystemTime) -> Judgement {
        let chain: Vec<CertificateDer<'_>> =
            chain.iter().map(|certificate| CertificateDer::from(certificate.as_ref())).collect();
        let Some((leaf, intermediates)) = chain.split_first() else {
            return Judgement::refused(Distrust::Missing);
        };
        let Ok((_, parsed)) = X509Certificate::from_der(leaf) else {
            return Judgement::refused(Distrust::Invalid("it cannot be read".into()));
        };
        if let Some(is_pinned) = self.pins.allow(domain, leaf, &parsed) {
            let fingerprint = || fingerprint(&pins::digest(leaf)).into();
            return match is_pinned {
                true => Judgement { trust: holds(&parsed, now), is_match: true },
                false => Judgement::refused(Distrust::NotPinned(fingerprint())),
            };
        }
        let end = match EndEntityCert::try_from(leaf) {
            Ok(end) => end,
            Err(error) => return Judgement::refused(error.into()),
        };
        let path = self.path(&end, intermediates, now);
        // Name constraints apply to DNS names only. So other kinds of names do not count under a
        // constrained authority.
        let is_limited = path.as_ref().is_ok_and(is_limited);
        let path = path.map(drop).or_else(|error| self.second_look(leaf, &parsed, error));
        let trust = holds(&parsed, now).and(path).and_then(|()| is_for_tls(&parsed));
        let is_match =
            names::names_dns(&end, domain) || (!is_limited && names::names_xmpp(&parsed, domain));
        Judgement { trust, is_match }
    }

    fn path<'p>(
        &'p self,
        end: &'p EndEntityCert<'_>,
        intermediates: &'p [CertificateDer<'p>],
        now: SystemTime,
    ) -> Result<VerifiedPath<'p>, webpki::Error> {
        let now = unix(now);
        let lists: Vec<&CertRevocationList<'_>> =
            self.lists.iter().map(|list| &list.list).collect();
        // Most authorities have no list among those of the config. An expired list is used, because
        // what it has stays revoked.
        let lists = RevocationOptionsBuilder::new(&lists)
            .ok()
            .map(|options| options.with_status_policy(UnknownStatusPolicy::Allow))
            .map(|options| options.with_expiration_policy(ExpirationPolicy::Ignore).build());
        end.verify_for_usage(
            webpki::ALL_VERIFICATION_ALGS,
            self.anchors.all(),
            intermediates,
            now,
            ClientOrServer,
            lists,
            Some(&|path| self.anchors.check(path, now)),
        )
    }

    /// Decides about certificates that webpki refuses. An authority of the config is trusted when it
    /// shows its own certificate, which `openssl req -x509` makes.
    fn second_look(
        &self,
        leaf: &CertificateDer<'_>,
        parsed: &X509Certificate<'_>,
        error: webpki::Error,
    ) -> Result<(), Distrust> {
        use webpki::Error as E;
        // The constraints of an authority would not apply to its own names.
        let is_listed = self.anchors.has(leaf) && matches!(parsed.name_constraints(), Ok(None));
        let is_self_signed = parsed.subject().as_raw() == parsed.issuer().as_raw();
        match error {
            E::UnknownIssuer | E::CaUsedAsEndEntity if is_listed => Ok(()),
            // The signature is invalid if an authority has the same name.
            E::UnknownIssuer | E::CaUsedAsEndEntity | E::InvalidSignatureForPublicKey
                if is_self_signed =>
            {
                Err(Distrust::SelfSigned)
            }
            error => Err(error.into()),
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

/// Whether the key usage of a certificate, if it has one, allows a handshake (RFC 5246 section
/// 7.4.2).
fn is_for_tls(certificate: &X509Certificate<'_>) -> Result<(), Distrust> {
    let usage = certificate.key_usage().map_err(|_| Distrust::Usage)?;
    let is_for_tls = usage.is_none_or(|usage| {
        let usage = usage.value;
        usage.digital_signature() || usage.key_encipherment() || usage.key_agreement()
    });
    if is_for_tls { Ok(()) } else { Err(Distrust::Usage) }
}

fn holds(certificate: &X509Certificate<'_>, now: SystemTime) -> Result<(), Distrust> {
    let validity = certificate.validity();
    let (begin, end) = (validity.not_before.timestamp(), validity.not_after.timestamp());
    match seconds(now) {
        now if now < begin => Err(Distrust::NotYetValid(begin)),
        now if now > end => Err(Distrust::Expired(end)),
        _ => Ok(()),
    }
}

/// If the clock is before 1970, it is 1970, and no certificate is valid yet.
fn since_1970(now: SystemTime) -> Duration {
    now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default()
}

fn seconds(now: SystemTime) -> i64 {
    i64::try_from(since_1970(now).as_secs()).unwrap_or(i64::MAX)
}

fn unix(now: SystemTime) -> UnixTime {
    UnixTime::since_unix_epoch(since_1970(now))
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
