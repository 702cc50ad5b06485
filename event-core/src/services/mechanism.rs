//! The SASL mechanisms that the server knows.

use std::{fmt, str::FromStr};

use thiserror::Error;

use crate::services::accounts::ScramHash;

/// A SASL mechanism. [`Mechanism::ALL`] and offers begin with the strongest mechanism.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Mechanism {
    /// SCRAM (RFC 5802), bound to the TLS channel if `plus`.
    Scram {
        /// The hash function.
        hash: ScramHash,
        /// Whether this is the `-PLUS` variant, with channel binding.
        plus: bool,
    },
    /// PLAIN (RFC 4616): the client sends the password.
    Plain,
}

/// The error for a name that is not in [`Mechanism::ALL`].
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("unknown SASL mechanism")]
pub struct UnknownMechanism;

impl Mechanism {
    /// All mechanisms, beginning with the strongest.
    pub const ALL: [Self; 7] = [
        Self::Scram { hash: ScramHash::Sha512, plus: true },
        Self::Scram { hash: ScramHash::Sha256, plus: true },
        Self::Scram { hash: ScramHash::Sha1, plus: true },
        Self::Scram { hash: ScramHash::Sha512, plus: false },
        Self::Scram { hash: ScramHash::Sha256, plus: false },
        Self::Scram { hash: ScramHash::Sha1, plus: false },
        Self::Plain,
    ];

    /// The registered name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Scram { hash: ScramHash::Sha1, plus: false } => "SCRAM-SHA-1",
            Self::Scram { hash: ScramHash::Sha1, plus: true } => "SCRAM-SHA-1-PLUS",
            Self::Scram { hash: ScramHash::Sha256, plus: false } => "SCRAM-SHA-256",
            Self::Scram { hash: ScramHash::Sha256, plus: true } => "SCRAM-SHA-256-PLUS",
            Self::Scram { hash: ScramHash::Sha512, plus: false } => "SCRAM-SHA-512",
            Self::Scram { hash: ScramHash::Sha512, plus: true } => "SCRAM-SHA-512-PLUS",
            Self::Plain => "PLAIN",
        }
    }

    /// Whether the mechanism has channel binding.
    pub const fn binds_channel(self) -> bool {
        matches!(self, Self::Scram { plus: true, .. })
    }

    /// The hash of a SCRAM mechanism.
    pub const fn hash(self) -> Option<ScramHash> {
        match self {
            Self::Scram { hash, .. } => Some(hash),
            Self::Plain => None,
        }
    }
}

impl fmt::Display for Mechanism {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Mechanism {
    type Err = UnknownMechanism;

    fn from_str(name: &str) -> Result<Self, UnknownMechanism> {
        Self::ALL.into_iter().find(|mechanism| mechanism.name() == name).ok_or(UnknownMechanism)
    }
}

impl serde::Serialize for Mechanism {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}
