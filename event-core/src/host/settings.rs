//! The configuration of a host.

use jid::BareJid;

use crate::util::secret::Secret;

/// The configuration of a host.
#[derive(Clone, Debug)]
pub struct HostConfig {
    /// The domain.
    pub name: String,
    /// The modules and their options. The order decides between handlers of equal priority.
    pub modules: Vec<(String, toml::Table)>,
    /// The settings of the host itself.
    pub settings: HostSettings,
}

/// The settings of a host, without the modules.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct HostSettings {
    /// The accounts with [`Role::Admin`](crate::Role::Admin).
    pub admins: Vec<BareJid>,
    /// The SASL mechanisms to offer; `None` offers all.
    pub sasl: Option<Vec<String>>,
    /// Whether clients may authenticate without TLS, for tests on loopback.
    pub allow_plaintext: bool,
    /// The secret of the external component (XEP-0114); `None` for a host without a component.
    pub secret: Option<Secret>,
    /// The limit of resources that an account may have bound at the same time; `None` is
    /// [`Host::MAX_RESOURCES`](crate::Host::MAX_RESOURCES).
    pub max_resources: Option<usize>,
    /// The number of failed attempts to authenticate after which a stream is closed; `None` leaves
    /// the default to the module.
    pub authentication_attempts: Option<u32>,
}

impl HostSettings {
    /// The configuration keys of the settings that differ from `other`.
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
