//! `[[listen]]`: which protocols are served on which addresses.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use serde::{Deserialize, Serialize};

use super::error::Place;
use super::value;

/// What is spoken on a port.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ListenKind {
    /// Clients, with STARTTLS.
    C2s,
    /// Clients, TLS from the first byte.
    C2sTls,
    /// Servers, with STARTTLS.
    S2s,
    /// Servers, TLS from the first byte.
    S2sTls,
    /// External components (XEP-0114).
    Component,
    /// HTTP.
    Http,
}

impl ListenKind {
    /// The address of a listener that names none. Components and HTTP are unencrypted, so their
    /// default is the loopback address.
    pub fn default_address(self) -> SocketAddr {
        let (ip, port): (IpAddr, u16) = match self {
            Self::C2s => (Ipv6Addr::UNSPECIFIED.into(), 5222),
            Self::C2sTls => (Ipv6Addr::UNSPECIFIED.into(), 5223),
            Self::S2s => (Ipv6Addr::UNSPECIFIED.into(), 5269),
            Self::S2sTls => (Ipv6Addr::UNSPECIFIED.into(), 5270),
            Self::Component => (Ipv4Addr::LOCALHOST.into(), 5347),
            Self::Http => (Ipv4Addr::LOCALHOST.into(), 5280),
        };
        SocketAddr::new(ip, port)
    }
}

/// One `[[listen]]`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Entry")]
pub struct Listen {
    /// What is spoken there.
    pub kind: ListenKind,
    /// The address.
    pub address: SocketAddr,
    /// Where the listener stands in the file; `None` for a default.
    #[serde(skip)]
    pub place: Option<Place>,
}

/// A [`Listen`] in the file: the default address depends on the kind.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    kind: ListenKind,
    #[serde(default, deserialize_with = "value::address")]
    address: Option<SocketAddr>,
}

impl From<Entry> for Listen {
    fn from(Entry { kind, address }: Entry) -> Self {
        Self {
            address: address.unwrap_or_else(|| kind.default_address()),
            ..Self::default_of(kind)
        }
    }
}

impl Listen {
    pub(super) fn default_of(kind: ListenKind) -> Self {
        Self { kind, address: kind.default_address(), place: None }
    }

    /// The address to bind instead where the system has no IPv6. Only for defaults, never for an
    /// address chosen in the file.
    pub fn fallback(&self) -> Option<SocketAddr> {
        let any = self.address.ip() == IpAddr::V6(Ipv6Addr::UNSPECIFIED);
        (any && self.address == self.kind.default_address())
            .then(|| SocketAddr::new(Ipv4Addr::UNSPECIFIED.into(), self.address.port()))
    }
}
