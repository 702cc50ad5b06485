//! `spondee check`: reports problems and remedies. It changes nothing, and does not disturb a
//! running server.

mod certificates;
mod dns;
mod findings;
mod ports;
mod storage;
#[cfg(test)]
mod tests;

use std::time::SystemTime;

use event_core::{Bundle, Registry};

use crate::{
    cli::{CheckOptions, FAILURE, HooksQuery, SUCCESS, output::say},
    config::{Config, InvalidConfig, ListenKind},
    control::client,
    run::hosts::{hosts, mistakes},
    s2s::certificate::Authorities,
};
use findings::{Finding, Findings, Level, Subject};

pub(super) fn print(
    config: Result<Config, InvalidConfig>,
    bundles: &[Bundle],
    options: CheckOptions,
) -> u8 {
    let Findings(mut all) = look(config, bundles, SystemTime::now());
    all.sort_by_key(|finding| finding.level);
    let is_wrong = all.iter().any(|finding| finding.level == Level::Error);
    if options.json {
        // Serializing findings cannot fail.
        say(&format!("{}\n", serde_json::to_string_pretty(&all).unwrap_or_default()));
    } else {
        let mut text: String = all.iter().map(Finding::lines).collect();
        if !is_wrong {
            text.push_str("nothing is wrong\n");
        }
        say(&text);
    }
    if is_wrong { FAILURE } else { SUCCESS }
}

fn look(config: Result<Config, InvalidConfig>, bundles: &[Bundle], now: SystemTime) -> Findings {
    let mut findings = Findings::default();
    let defaults: Vec<&str> = bundles.iter().flat_map(|bundle| bundle.defaults).copied().collect();
    let defaults = format!("default modules: {}", defaults.join(", "));
    findings.add(Level::Note, Subject::Config, defaults);
    let config = match config {
        Ok(config) => config,
        Err(invalid) => {
            let errors = match Registry::new(bundles) {
                Ok(registry) => mistakes(invalid, &registry),
                Err(error) => {
                    findings.add(Level::Error, Subject::Config, error.to_string());
                    invalid.errors
                }
            };
            for error in errors {
                findings.add(Level::Error, Subject::Config, error.to_string());
            }
            return findings;
        }
    };
    findings.config(&config, bundles);
    let authorities = match Authorities::load(&config.s2s) {
        Ok(authorities) => Some(authorities),
        Err(error) => {
            let help = "set authorities in [s2s] to a PEM file, or leave it out";
            findings.add_with_help(Level::Error, Subject::Certificates, error.to_string(), help);
            None
        }
    };
    certificates::check(&config, authorities.as_ref(), now, &mut findings);
    let query = HooksQuery { host: Some(String::new()), ..HooksQuery::default() };
    let is_running = client::hooks(&config.data, &query).is_some();
    match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Err(error) => {
            let message = format!("ports, DNS and storage were not checked: {error}");
            findings.add(Level::Error, Subject::Config, message);
        }
        Ok(runtime) => runtime.block_on(async {
            storage::check(&config, &mut findings).await;
            ports::check(&config, is_running, &mut findings);
            dns::check(&config, &mut findings).await;
        }),
    }
    findings
}

impl Findings {
    fn config(&mut self, config: &Config, bundles: &[Bundle]) {
        let file = config.file.as_ref().map(|file| format!("config: {}", file.display()));
        let file = file.unwrap_or_else(|| "config: none, the defaults hold".to_owned());
        self.add(Level::Note, Subject::Config, file);
        let domains = format!("hosts: {}", config.domains().collect::<Vec<_>>().join(", "));
        self.add(Level::Note, Subject::Config, domains);
        match Registry::new(bundles) {
            Err(error) => self.add(Level::Error, Subject::Config, error.to_string()),
            Ok(registry) => {
                let mut warnings = Vec::new();
                let errors = hosts(config, &registry, &mut warnings).err();
                for warning in warnings {
                    self.add(Level::Warning, Subject::Config, warning);
                }
                for error in errors.into_iter().flatten() {
                    self.add(Level::Error, Subject::Config, error.to_string());
                }
            }
        }
        let is_open = |kind| {
            let is_remote = |address: std::net::SocketAddr| !address.ip().is_loopback();
            config.listen.iter().any(|listen| listen.kind == kind && is_remote(listen.address))
        };
        for (name, _) in config.host.iter().filter(|(_, host)| host.allow_plaintext) {
            if is_open(ListenKind::C2s) {
                self.add_with_help(
                    Level::Warning,
                    Subject::Config,
                    format!("{name} lets clients from anywhere log in without TLS"),
                    format!("take allow_plaintext out of [host.\"{name}\"]"),
                );
            }
        }
        let external = |name: &&String| {
            config.component.get(*name).is_some_and(|component| component.secret.is_some())
        };
        if let Some(name) = config.component.keys().find(external)
            && config.listen.iter().all(|listen| listen.kind != ListenKind::Component)
        {
            self.add_with_help(
                Level::Warning,
                Subject::Config,
                format!("the component {name} cannot connect: nothing listens for components"),
                "add [[listen]] with kind = \"component\"",
            );
        }
    }
}
