//! Failures of SASL exchanges.

/// The failure of an exchange.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Failure {
    /// The condition of the answer.
    pub(super) condition: SaslCondition,
    /// The text for the client.
    pub(super) text: &'static str,
    /// Whether a password was checked, so that the client may have guessed.
    pub(super) is_guess: bool,
}

impl Failure {
    /// The failure when accounts cannot be read.
    pub(super) const UNAVAILABLE: Self =
        Self::new(SaslCondition::TemporaryAuthFailure, "accounts cannot be read; try later");

    /// The failure when the password was changed, or the account was removed, during the exchange.
    pub(super) const CHANGED: Self = Self::WRONG;

    /// The failure when a name or a password is wrong.
    pub(super) const WRONG: Self = Self {
        is_guess: true,
        ..Self::new(SaslCondition::NotAuthorized, "wrong name or password")
    };

    pub(super) const fn new(condition: SaslCondition, text: &'static str) -> Self {
        Self { condition, text, is_guess: false }
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
    /// The name, the password or the channel is wrong. The answer is the same in all cases.
    NotAuthorized,
    /// The server failed. A retry may succeed.
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
