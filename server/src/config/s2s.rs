//! `[s2s]`: connections to other servers.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::source::{dotted, keys};
use super::table::config_table;
use super::value::{address, at_least, by_domain, strings};

config_table! {
    /// Connections to other servers.
    #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
    #[serde(deny_unknown_fields, default)]
    pub struct S2s {
        /// A PEM file of certificate authorities that are trusted in addition to the system's. Each
        /// vouches for every domain, so the certificate of a server is refused here: it is a pin.
        /// Default: only the system's.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub authorities: Option<PathBuf>,
        /// The certificates that a domain may show. No other is accepted, whoever issued it: PEM
        /// files, and fingerprints `"sha256:…"` of the certificate or of its public key
        /// (SubjectPublicKeyInfo). The dates of the certificate are checked; its names, its issuer
        /// and `crls` are not. Dialback does not prove such a domain.
        #[serde(deserialize_with = "pins")]
        pub pins: BTreeMap<String, Vec<Pin>>,
        /// PEM files of certificate revocation lists. A certificate that is in the list of its
        /// issuer is refused, even after the list has expired. The server fetches no list, neither
        /// from the addresses in certificates nor by OCSP: another program must renew the files
        /// and let the server reload.
        pub crls: Vec<PathBuf>,
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
            pins: BTreeMap::new(),
            crls: Vec::new(),
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

impl S2s {
    /// The full name of the key of a domain's pins.
    pub(crate) fn pins_key(domain: &str) -> String {
        dotted(&keys(&["s2s", "pins", domain]))
    }
}

/// A certificate that a domain may show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Pin {
    /// A PEM file with the certificate.
    File(PathBuf),
    /// The SHA-256 digest of the certificate or of its SubjectPublicKeyInfo.
    Fingerprint([u8; 32]),
}

const FINGERPRINT: &str = "sha256:";

impl Pin {
    fn parse(text: String) -> Result<Self, String> {
        match text.strip_prefix(FINGERPRINT) {
            Some(digits) => digest(digits).map(Self::Fingerprint).ok_or_else(|| {
                format!(
                    "\"{text}\" is not a fingerprint: \"{FINGERPRINT}\" and 64 hexadecimal \
                     digits, with or without colons between them"
                )
            }),
            None if digest(&text).is_some() => {
                Err(format!("a fingerprint begins with \"{FINGERPRINT}\""))
            }
            None => Ok(Self::File(text.into())),
        }
    }
}

/// The bytes of 64 hexadecimal digits, in the form of OpenSSL or without colons.
fn digest(digits: &str) -> Option<[u8; 32]> {
    let digits: Vec<char> = digits.chars().filter(|c| *c != ':').collect();
    let digit = |c: &char| c.to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let byte = |pair: &[char]| match pair {
        [high, low] => Some(digit(high)? << 4 | digit(low)?),
        _ => None,
    };
    digits.chunks(2).map(byte).collect::<Option<Vec<u8>>>()?.try_into().ok()
}

/// The text of a fingerprint: `sha256:` and hexadecimal digits.
pub(crate) fn fingerprint(digest: &[u8]) -> String {
    let digits: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{FINGERPRINT}{digits}")
}

impl Serialize for Pin {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::File(path) => path.serialize(serializer),
            Self::Fingerprint(digest) => serializer.serialize_str(&fingerprint(digest)),
        }
    }
}

/// The pins of one domain.
struct Pins(Vec<Pin>);

impl<'de> Deserialize<'de> for Pins {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let pins = strings(deserializer, |_, text| Pin::parse(text))?;
        if pins.is_empty() {
            let message = "the list is empty, so that no certificate is accepted; leave the domain \
                           out to accept those of authorities";
            return Err(D::Error::custom(message));
        }
        Ok(Self(pins))
    }
}

fn pins<'de, D>(deserializer: D) -> Result<BTreeMap<String, Vec<Pin>>, D::Error>
where
    D: Deserializer<'de>,
{
    let pins = by_domain(deserializer)?.into_iter();
    Ok(pins.map(|(domain, Pins(pins))| (domain, pins)).collect())
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
