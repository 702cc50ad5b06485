//! Failures of SASL exchanges.

/// A condition with a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Failure {
    /// The condition of the answer.
    pub(super) condition: SaslCondition,
    /// The text for the client.
    pub(super) text: &'static str,
}

impl Failure {
    /// Accounts cannot be read.
    pub(super) const UNAVAILABLE: Self =
        Self::new(SaslCondition::TemporaryAuthFailure, "accounts cannot be read; try later");

    pub(super) const fn new(condition: SaslCondition, text: &'static str) -> Self {
        Self { condition, text }
    }
}

/// The conditions of RFC 6120 §6.5 that this server uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum SaslCondition {
    /// The client aborted the exchange.
    Aborted,
    /// The mechanism needs TLS.
    EncryptionRequired,
    /// The data is not base64.
    IncorrectEncoding,
    /// The client requested another user's identity.
    InvalidAuthzid,
    /// The mechanism is not offered.
    InvalidMechanism,
    /// The message does not follow the mechanism.
    MalformedRequest,
    /// Wrong name, password, or channel; the answer is the same for all.
    NotAuthorized,
    /// A failure of the server; a retry may succeed.
    TemporaryAuthFailure,
}

impl SaslCondition {
    /// The name of the XML element.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Aborted => "aborted",
            Self::EncryptionRequired => "encryption-required",
            Self::IncorrectEncoding => "incorrect-encoding",
            Self::InvalidAuthzid => "invalid-authzid",
            Self::InvalidMechanism => "invalid-mechanism",
            Self::MalformedRequest => "malformed-request",
            Self::NotAuthorized => "not-authorized",
            Self::TemporaryAuthFailure => "temporary-auth-failure",
        }
    }
}
