//! Whether clients and servers find the hosts: SRV records and addresses (RFC 6120 section 3.2,
//! XEP-0368).

use std::time::Duration;

use hickory_resolver::proto::rr::{RData, RecordType};

use crate::config::{Config, ListenKind};
use crate::s2s::resolve::{ResolveError, Resolver};
use crate::{
    net::{is_local, listener},
    run::inspect::{Findings, Level, Subject},
    tls,
};

/// The time limit of all lookups.
const TOTAL: Duration = Duration::from_secs(30);
/// The time limit of one lookup.
const TIMEOUT: Duration = Duration::from_secs(6);

/// A service that clients or servers find by DNS.
struct Service {
    kind: ListenKind,
    name: &'static str,
    /// The port that is used without a record.
    port: Option<u16>,
}

const SERVICES: [Service; 4] = [
    Service { kind: ListenKind::C2s, name: "_xmpp-client._tcp", port: Some(5222) },
    Service { kind: ListenKind::C2sTls, name: "_xmpps-client._tcp", port: None },
    Service { kind: ListenKind::S2s, name: "_xmpp-server._tcp", port: Some(5269) },
    Service { kind: ListenKind::S2sTls, name: "_xmpps-server._tcp", port: None },
];

pub(super) async fn check(config: &Config, findings: &mut Findings) {
    let (local, public): (Vec<&str>, Vec<&str>) = config.domains().partition(|name| is_local(name));
    if !local.is_empty() {
        let message = format!("DNS knows nothing of {}: not looked at", local.join(", "));
        findings.add(Level::Note, Subject::Dns, message);
    }
    if public.is_empty() {
        return;
    }
    let resolver = Resolver::new(&config.s2s).with_timeout(TIMEOUT);
    let all = async {
        for name in public {
            Checker { config, resolver: &resolver, name, ascii: tls::ascii(name) }
                .check(findings)
                .await?;
        }
        Ok::<_, ResolveError>(())
    };
    let help = "see that DNS works here, or set dns in [s2s]";
    let message = match tokio::time::timeout(TOTAL, all).await {
        Ok(Ok(())) => return,
        Ok(Err(error)) => error.to_string(),
        Err(_) => "DNS answers too slowly: not all names were looked at".to_owned(),
    };
    findings.add_with_help(Level::Warning, Subject::Dns, message, help);
}

struct Checker<'a> {
    config: &'a Config,
    resolver: &'a Resolver,
    name: &'a str,
    ascii: String,
}

impl Checker<'_> {
    async fn check(&self, findings: &mut Findings) -> Result<(), ResolveError> {
        let has_address = self.has_address(&self.ascii).await?;
        let is_host = self.config.host.contains_key(self.name);
        let mut needs_address = false;
        for service in &SERVICES {
            let is_clients = matches!(service.kind, ListenKind::C2s | ListenKind::C2sTls);
            if is_host || !is_clients {
                needs_address |= self.service(service, has_address, findings).await?;
            }
        }
        if needs_address && !has_address {
            findings.add_with_help(
                Level::Warning,
                Subject::Dns,
                format!("{} has no address in DNS", self.name),
                format!("add the record {}. 3600 IN A ADDRESS (or AAAA for IPv6)", self.ascii),
            );
        }
        Ok(())
    }

    /// Checks one service, and returns whether it is, or should be, at the host's own address.
    async fn service(
        &self,
        service: &Service,
        has_address: bool,
        findings: &mut Findings,
    ) -> Result<bool, ResolveError> {
        let kind = listener::name(service.kind);
        let of_kind = |listen: &&crate::config::Listen| listen.kind == service.kind;
        let ports: Vec<u16> =
            self.config.listen.iter().filter(of_kind).map(|listen| listen.address.port()).collect();
        let owner = format!("{}.{}", service.name, self.ascii);
        let found = self.resolver.lookup(&owner, RecordType::SRV).await?;
        let places: Vec<(String, u16)> = found
            .iter()
            .filter_map(|data| match data {
                RData::SRV(srv) if !srv.target.is_root() => {
                    Some((srv.target.to_ascii().trim_end_matches('.').to_owned(), srv.port))
                }
                _ => None,
            })
            .collect();
        // Port 0, any free one, occurs only in tests.
        let Some(port) = ports.iter().find(|port| **port != 0) else {
            if let Some((target, port)) = places.first().filter(|_| ports.is_empty()) {
                findings.add_with_help(
                    Level::Warning,
                    Subject::Dns,
                    format!(
                        "{owner} leads to {target}:{port}, but nothing here listens for {kind}"
                    ),
                    format!("add [[listen]] with kind = \"{kind}\", or take the record out"),
                );
            }
            return Ok(false);
        };
        let help = format!("add the record {owner}. 3600 IN SRV 0 5 {port} {}.", self.ascii);
        if places.is_empty() {
            let is_refused = !found.is_empty();
            let is_found = service.port.is_some_and(|port| ports.contains(&port));
            let (level, message) = match service.port {
                _ if is_refused => {
                    (Level::Warning, format!("{owner} says that there is no such service"))
                }
                Some(_) if is_found => return Ok(true),
                Some(usual) => (
                    Level::Warning,
                    format!(
                        "{owner} is missing: {kind} is looked for on port {usual} then, not on {port}"
                    ),
                ),
                None => {
                    (Level::Note, format!("{owner} is missing: nobody finds {kind} on port {port}"))
                }
            };
            findings.add_with_help(level, Subject::Dns, message, help);
            return Ok(!is_refused && (service.port.is_some() || has_address));
        }
        for (target, _) in &places {
            if *target != self.ascii && !self.has_address(target).await? {
                findings.add_with_help(
                    Level::Warning,
                    Subject::Dns,
                    format!("{owner} leads to {target}, which has no address in DNS"),
                    format!("add the record {target}. 3600 IN A ADDRESS (or AAAA for IPv6)"),
                );
            }
        }
        if !places.iter().any(|(_, port)| ports.contains(port)) {
            let led: Vec<String> = places.iter().map(|(_, port)| port.to_string()).collect();
            let led = led.join(", ");
            findings.add_with_help(
                Level::Warning,
                Subject::Dns,
                format!("{owner} leads to port {led}, but {kind} is on port {port} here"),
                format!("if nothing passes that port on to this one, {help}"),
            );
        }
        Ok(places.iter().any(|(target, _)| *target == self.ascii))
    }

    async fn has_address(&self, name: &str) -> Result<bool, ResolveError> {
        let (v4, v6) = tokio::join!(
            self.resolver.lookup(name, RecordType::A),
            self.resolver.lookup(name, RecordType::AAAA),
        );
        match (v4, v6) {
            (Ok(found), _) | (_, Ok(found)) if !found.is_empty() => Ok(true),
            (Err(error), _) | (_, Err(error)) => Err(error),
            _ => Ok(false),
        }
    }
}
