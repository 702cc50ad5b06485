//! Why an exchange ended without success.

/// A condition, and words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Failure {
    /// The condition to answer with.
    pub(super) condition: SaslCondition,
    /// Words for the client.
    pub(super) text: &'static str,
}

impl Failure {
    /// It is the server's fault.
    pub(super) const UNAVAILABLE: Self =
        Self::new(SaslCondition::TemporaryAuthFailure, "accounts cannot be read; try later");

    pub(super) const fn new(condition: SaslCondition, text: &'static str) -> Self {
        Self { condition, text }
    }
}

/// The conditions of RFC 6120 §6.5 that occur here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum SaslCondition {
    /// The client gave up.
    Aborted,
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
    /// Wrong name, wrong password, or wrong channel: not told apart.
    NotAuthorized,
    /// It is the server's fault and may work later.
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
