//! What the configuration says of a host.

use jid::BareJid;

use crate::util::secret::Secret;

/// A host as the configuration asks for it.
#[derive(Debug)]
pub struct HostConfig {
    /// The domain.
    pub name: String,
    /// Its modules in order, each with its options.
    pub modules: Vec<(String, toml::Table)>,
    /// The rest.
    pub settings: HostSettings,
}

/// What the configuration says of a host, beside its modules.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct HostSettings {
    /// Accounts with the role of an admin.
    pub admins: Vec<BareJid>,
    /// The SASL mechanisms to offer, when not all.
    pub sasl: Option<Vec<String>>,
    /// Whether clients may authenticate without TLS; for tests on loopback.
    pub allow_plaintext: bool,
    /// What an external component proves itself with (XEP-0114), where one serves the host.
    pub secret: Option<Secret>,
    /// How many resources an account may have bound at a time, when not [`Host::MAX_RESOURCES`].
    pub max_resources: Option<usize>,
    /// The number of failed attempts to authenticate that closes a stream, when the configuration
    /// says so.
    pub authentication_attempts: Option<u32>,
}

impl HostSettings {
    /// The keys of the configuration whose values differ.
    pub(crate) fn differences(&self, other: &Self) -> Vec<&'static str> {
        let keys = [
            ("admins", self.admins == other.admins),
            ("sasl", self.sasl == other.sasl),
            ("allow_plaintext", self.allow_plaintext == other.allow_plaintext),
            ("sessions_per_account", self.max_resources == other.max_resources),
            (
                "authentication_attempts",
                self.authentication_attempts == other.authentication_attempts,
            ),
        ];
        keys.into_iter().filter(|(_, is_same)| !is_same).map(|(key, _)| key).collect()
    }
}
