//! `[s2s]`: connections to other servers.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;

use serde::{Deserialize, Deserializer, Serialize};

use super::table::config_table;
use super::value::{address, at_least, by_domain};

config_table! {
    /// Connections to other servers.
    #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
    #[serde(deny_unknown_fields, default)]
    pub struct S2s {
        /// A PEM file of certificate authorities that are trusted in addition to the system's.
        /// Default: only the system's.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub authorities: Option<PathBuf>,
        /// Whether dialback may prove the name of a server whose certificate does not.
        pub dialback: bool,
        /// The DNS resolver. Default: the system's.
        #[serde(deserialize_with = "address", skip_serializing_if = "Option::is_none")]
        pub dns: Option<SocketAddr>,
        /// Whether servers may have addresses that are not public: loopback, RFC 1918 and others
        /// of the local network. Whoever controls the DNS of a domain chooses these addresses.
        /// Those in `routes` may always be of any kind.
        pub private: bool,
        /// The addresses of servers that are not looked up in DNS, by domain.
        #[serde(deserialize_with = "routes")]
        pub routes: BTreeMap<String, String>,
        /// The number of stanzas that may wait for one domain, a quarter of them from one account.
        /// Further ones are refused.
        #[serde(deserialize_with = "at_least::<1, _, _>")]
        pub queue_stanzas: usize,
        /// The total size of the stanzas that may wait for one domain, a quarter of it from one
        /// account. Further ones are refused.
        #[serde(deserialize_with = "at_least::<{ 64 * 1024 }, _, _>")]
        pub queue_bytes: usize,
        /// The time after which an idle stream to another server is closed.
        #[serde(deserialize_with = "at_least::<1, _, _>")]
        pub idle_seconds: u64,
    }
}

impl Default for S2s {
    fn default() -> Self {
        Self {
            authorities: None,
            dialback: false,
            dns: None,
            private: false,
            routes: BTreeMap::new(),
            queue_stanzas: 8000,
            queue_bytes: 4 * 1024 * 1024,
            idle_seconds: 600,
        }
    }
}

/// `name:port`.
#[derive(Deserialize)]
#[serde(try_from = "String")]
struct Route(String);

impl TryFrom<String> for Route {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let parts = text.rsplit_once(':').map(|(host, port)| (host, port.parse()));
        if !matches!(parts, Some((host, Ok(1..=u16::MAX))) if !host.is_empty()) {
            return Err(format!("\"{text}\" is not an address (name:port)"));
        }
        Ok(Self(text))
    }
}

fn routes<'de, D>(deserializer: D) -> Result<BTreeMap<String, String>, D::Error>
where
    D: Deserializer<'de>,
{
    let routes = by_domain(deserializer)?.into_iter();
    Ok(routes.map(|(domain, Route(target))| (domain, target)).collect())
}
