//! The server side of SASL (RFC 4422): what is offered, and one exchange of messages.
//!
//! Pure and without waiting: the caller moves the messages, fetches keys and checks passwords.
//! Base64 and XML are the caller's too.

mod exchange;
mod library;
mod mechanism;
mod message;
#[cfg(test)]
mod tests;

use std::fmt;

pub use exchange::{Exchange, Step};
pub use mechanism::{Mechanism, UnknownMechanism};

/// The one kind of channel binding offered (RFC 9266).
pub const CHANNEL_BINDING: &str = "tls-exporter";

/// Why an exchange failed: the conditions of RFC 6120 section 6.5.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SaslCondition {
    /// The client gave up.
    Aborted,
    /// The account may not be used at present.
    AccountDisabled,
    /// The password has to be changed elsewhere first.
    CredentialsExpired,
    /// The mechanism needs TLS.
    EncryptionRequired,
    /// The data is not base64.
    IncorrectEncoding,
    /// The client wants to act as somebody it is not.
    InvalidAuthzid,
    /// The mechanism is not offered.
    InvalidMechanism,
    /// The message does not follow the mechanism.
    MalformedRequest,
    /// The mechanism is too weak for this account.
    MechanismTooWeak,
    /// Wrong name, wrong password, or wrong channel: not told apart.
    NotAuthorized,
    /// It is the server's fault and may work later.
    TemporaryAuthFailure,
}

impl SaslCondition {
    /// The name of the XML element.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Aborted => "aborted",
            Self::AccountDisabled => "account-disabled",
            Self::CredentialsExpired => "credentials-expired",
            Self::EncryptionRequired => "encryption-required",
            Self::IncorrectEncoding => "incorrect-encoding",
            Self::InvalidAuthzid => "invalid-authzid",
            Self::InvalidMechanism => "invalid-mechanism",
            Self::MalformedRequest => "malformed-request",
            Self::MechanismTooWeak => "mechanism-too-weak",
            Self::NotAuthorized => "not-authorized",
            Self::TemporaryAuthFailure => "temporary-auth-failure",
        }
    }
}

impl fmt::Display for SaslCondition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The mechanisms to offer on a stream, strongest first.
///
/// `tls` says whether the stream is encrypted, `channel_binding` whether its TLS can be bound to,
/// `allowed` what the host's config lists, if it does. Without TLS nothing is offered unless
/// `allow_plaintext` holds.
pub fn offered(
    tls: bool,
    channel_binding: bool,
    allowed: Option<&[Mechanism]>,
    allow_plaintext: bool,
) -> Vec<Mechanism> {
    Mechanism::ALL
        .into_iter()
        .filter(|_| tls || allow_plaintext)
        .filter(|mechanism| !mechanism.binds_channel() || (tls && channel_binding))
        .filter(|mechanism| allowed.is_none_or(|allowed| allowed.contains(mechanism)))
        .collect()
}
