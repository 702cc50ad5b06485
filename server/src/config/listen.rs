//! `[[listen]]`: which protocols are served on which addresses.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use serde::{Deserialize, Serialize};

use super::error::Place;
use super::table::config_table;
use super::value;

/// The protocol of a listener.
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
    /// The default address. Components and HTTP are not encrypted, so their default is the loopback
    /// address.
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

config_table! {
    /// What is served on one address. Without `[[listen]]` clients are served on ports 5222 and
    /// 5223; if the file names a host or component, servers on port 5269; if a component has a
    /// secret, components on port 5347 of `127.0.0.1`. These defaults do not apply to a file with a
    /// `[[listen]]`, which must list all listeners.
    #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
    #[serde(from = "Entry")]
    pub struct Listen {
        /// What is served: clients with STARTTLS (`c2s`) or TLS from the first byte (`c2s-tls`),
        /// servers likewise (`s2s`, `s2s-tls`), external components without TLS (`component`,
        /// XEP-0114), or `/metrics` and `/healthz` over HTTP (`http`).
        pub kind: ListenKind,
        /// The address and port. Default: all addresses, on port 5222 for `c2s`, 5223 for
        /// `c2s-tls`, 5269 for `s2s`, 5270 for `s2s-tls`; `127.0.0.1` on port 5347 for `component`,
        /// 5280 for `http`.
        pub address: SocketAddr,
        /// The names of an `http` listener. A request whose `Host` is neither one of them, nor
        /// `localhost`, nor an IP address is refused, `421`, because a page of another site may have
        /// made a browser send it. Default: none.
        pub names: Vec<String>,
        /// Where the listener stands in the file; `None` for a default.
        #[serde(skip)]
        pub place: Option<Place>,
    }
}

/// A [`Listen`] as the file has it. An entry without an address gets the default of its kind.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    kind: ListenKind,
    #[serde(default, deserialize_with = "value::address")]
    address: Option<SocketAddr>,
    #[serde(default)]
    names: Vec<String>,
}

impl From<Entry> for Listen {
    fn from(Entry { kind, address, names }: Entry) -> Self {
        Self {
            address: address.unwrap_or_else(|| kind.default_address()),
            names,
            ..Self::default_of(kind)
        }
    }
}

impl Listen {
    pub(super) fn default_of(kind: ListenKind) -> Self {
        Self { kind, address: kind.default_address(), names: Vec::new(), place: None }
    }

    /// The IPv4 address to bind if the kernel has no IPv6. `None` unless the address is the default
    /// of its kind.
    pub fn fallback(&self) -> Option<SocketAddr> {
        let any = self.address.ip() == IpAddr::V6(Ipv6Addr::UNSPECIFIED);
        (any && self.address == self.kind.default_address())
            .then(|| SocketAddr::new(Ipv4Addr::UNSPECIFIED.into(), self.address.port()))
    }
}
