//! Why a certificate is not trusted.

use thiserror::Error;
use webpki::Error as E;
use x509_parser::time::ASN1Time;

use crate::plain::spelled;

/// Why a certificate is not trusted. Times are in seconds since 1970.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Distrust {
    /// The other side sent no certificate.
    #[error("the other side sent no certificate")]
    Missing,
    /// The certificate has expired, at this time.
    #[error("the certificate expired on {}", day(*.0))]
    Expired(i64),
    /// The certificate is not valid until this time.
    #[error("the certificate is not valid before {}", day(*.0))]
    NotYetValid(i64),
    /// An authority of the chain has expired, at this time.
    #[error("an authority in the chain expired on {}", day(*.0))]
    AuthorityExpired(i64),
    /// An authority of the chain is not valid until this time.
    #[error("an authority in the chain is not valid before {}", day(*.0))]
    AuthorityNotYetValid(i64),
    /// The certificate is self-signed and not among the authorities.
    #[error("the certificate is self-signed")]
    SelfSigned,
    /// No known authority signed the certificate, or the chain is incomplete.
    #[error("the certificate is from an unknown authority, or its chain is incomplete")]
    UnknownAuthority,
    /// The list of an authority revokes a certificate of the chain.
    #[error("a certificate of the chain is revoked")]
    Revoked,
    /// The certificate is none of the domain's pins. The text is its fingerprint.
    #[error("the certificate is none of the domain's pins; its fingerprint is {0}")]
    NotPinned(Box<str>),
    /// The key usage or the extended key usage of the certificate does not allow TLS.
    #[error("the certificate is not meant for servers")]
    Usage,
    /// The chain has another fault.
    #[error("the certificate is not valid: {0}")]
    Invalid(Box<str>),
}

/// The error of webpki for a chain whose first certificate is valid now.
impl From<webpki::Error> for Distrust {
    fn from(error: webpki::Error) -> Self {
        let seconds = |time: u64| i64::try_from(time).unwrap_or(i64::MAX);
        match error {
            E::CertExpired { not_after, .. } => {
                Self::AuthorityExpired(seconds(not_after.as_secs()))
            }
            E::CertNotValidYet { not_before, .. } => {
                Self::AuthorityNotYetValid(seconds(not_before.as_secs()))
            }
            E::UnknownIssuer => Self::UnknownAuthority,
            E::CertRevoked => Self::Revoked,
            E::RequiredEkuNotFoundContext(_) => Self::Usage,
            E::CaUsedAsEndEntity => Self::Invalid("it is an authority's".into()),
            E::InvalidSignatureForPublicKey => {
                Self::Invalid("the authority that it names did not sign it".into())
            }
            E::EndEntityUsedAsCa => {
                Self::Invalid("a certificate of the chain may not sign others".into())
            }
            other => {
                // Others are shown as in Rust's source, some with a struct behind the name.
                let text = other.to_string();
                let name = text.split(|c: char| !c.is_ascii_alphanumeric()).next();
                Self::Invalid(spelled(name.unwrap_or_default()).into())
            }
        }
    }
}

/// The day of a time in seconds since 1970.
pub(super) fn day(seconds: i64) -> String {
    match ASN1Time::from_timestamp(seconds) {
        Ok(time) => time.to_datetime().date().to_string(),
        // Outside the years 1 to 9999, which no certificate has.
        Err(_) => format!("second {seconds} of 1970"),
    }
}
