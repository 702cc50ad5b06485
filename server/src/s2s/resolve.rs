//! Finds a domain's servers: in the config's routes or in DNS (RFC 6120 section 3.2, XEP-0368).

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use hickory_resolver::TokioResolver;
use hickory_resolver::config::{ConnectionConfig, NameServerConfig, ResolveHosts, ResolverConfig};
use hickory_resolver::net::NetError;
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::proto::rr::{Name, RData, RecordType};
use ring::rand::{SecureRandom, SystemRandom};
use thiserror::Error;

use super::public::is_public;
use crate::config::S2s;
use crate::tls;

/// The port of servers without SRV records (RFC 6120 section 3.2.2).
const PORT: u16 = 5269;
const STARTTLS: &str = "_xmpp-server._tcp";
const DIRECT_TLS: &str = "_xmpps-server._tcp";

/// The maximum number of targets that are used. The domain's owner controls how many it has.
const TARGETS: usize = 16;
/// The maximum number of addresses of a target that are used.
const ADDRESSES: usize = 8;
/// The time limit of one lookup, with all retries.
const TIMEOUT: Duration = Duration::from_secs(10);

/// One address where a domain's server may be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// A name or an address, for [`Resolver::addresses`]. The certificate need not have this name.
    pub name: Box<str>,
    /// The TCP port.
    pub port: u16,
    /// Whether TLS begins with the first byte (XEP-0368).
    pub is_direct_tls: bool,
    /// Whether the config names the target, which then may have any address.
    pub is_route: bool,
}

impl Target {
    pub(super) fn new(name: &str, port: u16) -> Self {
        Self { name: name.into(), port, is_direct_tls: false, is_route: false }
    }
}

/// Why a domain's server was not found.
#[derive(Debug, Clone, Error)]
pub enum ResolveError {
    /// The name is not in DNS, or has no address.
    #[error("{0} is not in DNS, or has no address")]
    NotFound(Box<str>),
    /// The domain has an SRV target of `.`: it has no XMPP server.
    #[error("DNS says that {0} has no XMPP server")]
    NotOffered(Box<str>),
    /// No address of the name is public.
    #[error("no address of {0} is public, and private is not set in [s2s]")]
    NotPublic(Box<str>),
    /// DNS did not answer, which may be temporary.
    #[error("no answer from DNS for {name}: {source}")]
    Unanswered {
        /// The name that was looked up.
        name: Box<str>,
        /// The error.
        source: NetError,
    },
}

/// Finds servers. Answers are cached for the time to live of their records.
#[derive(Debug, Clone)]
pub struct Resolver {
    dns: Result<TokioResolver, NetError>,
    routes: BTreeMap<String, String>,
    allows_private: bool,
    timeout: Duration,
}

impl Resolver {
    /// A resolver with the settings of `[s2s]`. If the system has no usable configuration and `dns`
    /// is not set, every lookup fails with an error that says so; routes still work.
    pub fn new(config: &S2s) -> Self {
        let dns = config.dns.map_or_else(of_system, of_address);
        if let Err(error) = &dns {
            tracing::warn!(%error, "DNS cannot be used; set dns in [s2s]");
        }
        let (routes, allows_private) = (config.routes.clone(), config.private);
        Self { dns, routes, allows_private, timeout: TIMEOUT }
    }

    /// Changes the time limit of one lookup.
    #[must_use]
    pub(crate) fn with_timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// The targets of a domain, in the order to try, at most 16. SRV records are ordered at random
    /// by their weights, so the order differs from call to call.
    ///
    /// # Errors
    ///
    /// The domain has no server, or DNS does not answer.
    pub async fn targets(&self, domain: &str) -> Result<Vec<Target>, ResolveError> {
        if let Some((name, port)) = self.routes.get(domain).and_then(|at| at.rsplit_once(':')) {
            // The port was checked when the config was read.
            let port = port.parse().unwrap_or(PORT);
            return Ok(vec![Target { is_route: true, ..Target::new(bare(name), port) }]);
        }
        let ascii = tls::ascii(domain);
        let alone = || vec![Target::new(bare(&ascii), PORT)];
        if bare(&ascii).parse::<IpAddr>().is_ok() {
            return Ok(alone());
        }
        let (starttls, direct) =
            tokio::join!(self.services(STARTTLS, &ascii), self.services(DIRECT_TLS, &ascii));
        // If one of the two lookups gives usable targets, the other may fail.
        let (starttls, direct) = match (starttls, direct) {
            (Ok(starttls), Ok(direct)) => (starttls, direct),
            (Ok(found), Err(_)) if found.is_usable() => (found, Services::None),
            (Err(_), Ok(found)) if found.is_usable() => (Services::None, found),
            (Err(error), _) | (_, Err(error)) => return Err(error),
        };
        match (starttls, direct) {
            (Services::NotOffered, direct) if !direct.is_usable() => {
                Err(ResolveError::NotOffered(domain.into()))
            }
            (Services::None, direct) if !direct.is_usable() => Ok(alone()),
            (starttls, direct) => {
                let mut all: Vec<Service> = starttls.into_targets(false).collect();
                all.extend(direct.into_targets(true));
                let mut targets: Vec<Target> =
                    in_order(all, random).into_iter().map(|service| service.target).collect();
                targets.truncate(TARGETS);
                Ok(targets)
            }
        }
    }

    /// The addresses of a target, at most 8, IPv6 and IPv4 alternately (RFC 8305 section 4). Unless
    /// the config allows private addresses, or names the target, these are public addresses.
    ///
    /// # Errors
    ///
    /// The target has no such address, or DNS does not answer.
    pub async fn addresses(&self, target: &Target) -> Result<Vec<SocketAddr>, ResolveError> {
        let allows = |ip: &IpAddr| self.allows_private || target.is_route || is_public(*ip);
        let found: Vec<_> = self.ips(target).await?.into_iter().filter(allows).collect();
        if found.is_empty() {
            return Err(ResolveError::NotPublic(target.name.clone()));
        }
        let socket = |ip| SocketAddr::new(ip, target.port);
        Ok(found.into_iter().map(socket).take(ADDRESSES).collect())
    }

    /// All addresses of a target, at least one.
    async fn ips(&self, target: &Target) -> Result<Vec<IpAddr>, ResolveError> {
        if let Ok(ip) = target.name.parse::<IpAddr>() {
            return Ok(vec![ip]);
        }
        let (v6, v4) = tokio::join!(
            self.lookup(&target.name, RecordType::AAAA),
            self.lookup(&target.name, RecordType::A),
        );
        let (v6, v4) = match (v6, v4) {
            (Err(error), Err(_)) => return Err(error),
            (v6, v4) => (ips(v6), ips(v4)),
        };
        if v6.is_empty() && v4.is_empty() {
            return Err(ResolveError::NotFound(target.name.clone()));
        }
        Ok(in_turn(v6, v4).collect())
    }

    async fn services(&self, service: &str, ascii: &str) -> Result<Services, ResolveError> {
        let found = self.lookup(&format!("{service}.{ascii}"), RecordType::SRV).await?;
        let mut is_refused = false;
        let mut services = Vec::new();
        for record in found {
            let RData::SRV(srv) = record else { continue };
            if srv.target.is_root() {
                is_refused = true;
            } else if srv.port != 0 {
                let name = srv.target.to_ascii();
                let target = Target::new(name.trim_end_matches('.'), srv.port);
                services.push(Service { priority: srv.priority, weight: srv.weight, target });
            }
        }
        Ok(match services {
            services if !services.is_empty() => Services::At(services),
            _ if is_refused => Services::NotOffered,
            _ => Services::None,
        })
    }

    /// The records of a name. An empty answer is not an error.
    pub(crate) async fn lookup(
        &self,
        name: &str,
        kind: RecordType,
    ) -> Result<Vec<RData>, ResolveError> {
        let unanswered = |source| ResolveError::Unanswered { name: name.into(), source };
        let dns = self.dns.as_ref().map_err(|error| unanswered(error.clone()))?;
        // The final dot disables the search list.
        let Ok(full) = Name::from_ascii(format!("{name}.")) else {
            return Err(ResolveError::NotFound(name.into()));
        };
        match tokio::time::timeout(self.timeout, dns.lookup(full, kind)).await {
            Ok(Ok(found)) => {
                let records = found.answers().iter().filter(|record| record.record_type() == kind);
                Ok(records.map(|record| record.data.clone()).collect())
            }
            Ok(Err(error)) if error.is_no_records_found() => Ok(Vec::new()),
            Ok(Err(error)) => Err(unanswered(error)),
            Err(_) => Err(unanswered(NetError::Timeout)),
        }
    }
}

/// The SRV records of one service.
enum Services {
    /// There are no records.
    None,
    /// The service is not offered.
    NotOffered,
    /// The service's targets.
    At(Vec<Service>),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Service {
    pub(super) priority: u16,
    pub(super) weight: u16,
    pub(super) target: Target,
}

impl Services {
    fn is_usable(&self) -> bool {
        matches!(self, Self::At(_))
    }

    fn into_targets(self, is_direct_tls: bool) -> impl Iterator<Item = Service> {
        let services = match self {
            Self::At(services) => services,
            Self::None | Self::NotOffered => Vec::new(),
        };
        services.into_iter().map(move |mut service| {
            service.target.is_direct_tls = is_direct_tls;
            service
        })
    }
}

/// Orders services by priority, and within one priority at random by weight (RFC 2782). `random(n)`
/// returns a number from 0 to `n` inclusive.
pub(super) fn in_order(
    mut services: Vec<Service>,
    mut random: impl FnMut(u32) -> u32,
) -> Vec<Service> {
    // Targets of weight 0 come first, because otherwise they would never be chosen.
    services.sort_by_key(|service| (service.priority, service.weight != 0));
    let mut ordered = Vec::with_capacity(services.len());
    for group in services.chunk_by(|one, two| one.priority == two.priority) {
        let mut group = group.to_vec();
        while !group.is_empty() {
            let total = group.iter().map(|service| u32::from(service.weight)).sum();
            let (chosen, mut sum) = (random(total), 0);
            let reaches = |service: &Service| {
                sum += u32::from(service.weight);
                sum >= chosen
            };
            let index = group.iter().position(reaches).unwrap_or_default();
            ordered.push(group.remove(index));
        }
    }
    ordered
}

fn random(most: u32) -> u32 {
    let mut bytes = [0; 8];
    // Without random numbers the first service is chosen, which is a valid order too.
    let _ = SystemRandom::new().fill(&mut bytes);
    let number = u64::from_ne_bytes(bytes) % (u64::from(most) + 1);
    u32::try_from(number).unwrap_or_default()
}

fn ips(found: Result<Vec<RData>, ResolveError>) -> Vec<IpAddr> {
    let ip = |data| match data {
        RData::A(a) => Some(IpAddr::V4(a.0)),
        RData::AAAA(aaaa) => Some(IpAddr::V6(aaaa.0)),
        _ => None,
    };
    found.unwrap_or_default().into_iter().filter_map(ip).collect()
}

fn in_turn<T>(one: Vec<T>, two: Vec<T>) -> impl Iterator<Item = T> {
    let (mut one, mut two) = (one.into_iter(), two.into_iter());
    let mut is_second = false;
    std::iter::from_fn(move || {
        is_second = !is_second;
        if is_second {
            one.next().or_else(|| two.next())
        } else {
            two.next().or_else(|| one.next())
        }
    })
}

/// Removes the brackets that an IPv6 address has in a JID.
fn bare(name: &str) -> &str {
    name.trim_start_matches('[').trim_end_matches(']')
}

fn of_system() -> Result<TokioResolver, NetError> {
    TokioResolver::builder_tokio()?.build()
}

fn of_address(address: SocketAddr) -> Result<TokioResolver, NetError> {
    let connections = [ConnectionConfig::udp(), ConnectionConfig::tcp()].map(|mut connection| {
        connection.port = address.port();
        connection
    });
    let server = NameServerConfig::new(address.ip(), true, connections.into());
    let config = ResolverConfig::from_name_servers(vec![server]);
    let mut builder = TokioResolver::builder_with_config(config, TokioRuntimeProvider::default());
    // The hosts file is not used, because the configured resolver answers for all names.
    builder.options_mut().use_hosts_file = ResolveHosts::Never;
    builder.build()
}
