//! Checks all that a start needs, before anything is changed. `spondee check` and the start run
//! [`inspect`], so `check` reports what the start would refuse. A reload runs [`files`], which checks
//! the config and the files that it names.

mod advice;
mod certificates;
mod findings;
mod hooks;
mod modules;
mod ports;
mod storage;
#[cfg(test)]
mod tests;

use std::time::SystemTime;

use event_core::{HostConfig, Registry};
use tokio::net::TcpListener;

use super::{hosts, log};
use crate::{
    config::{Config, InvalidConfig, Listen},
    s2s::certificate::{Authorities, Remark},
    tls::Tls,
};
pub(crate) use findings::{Finding, Findings, Level, Subject};

/// The checks in which `check` and the start differ.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scope {
    /// Whether to try the ports. `check` does not while a server runs, because that server has them.
    pub(crate) ports: bool,
    /// Whether to start the modules, on a storage in memory. The start does not, because it starts
    /// them after the inspection, with the same code.
    pub(crate) modules: bool,
}

/// What the inspection read and opened, for the start.
#[derive(Debug)]
pub(crate) struct Inspected {
    pub(crate) hosts: Vec<HostConfig>,
    pub(crate) authorities: Authorities,
    pub(crate) tls: Tls,
    pub(crate) listeners: Vec<(Listen, TcpListener)>,
}

/// The config, if its file has no mistakes. Otherwise all mistakes are reported, including those in the
/// modules' options, and nothing else is checked.
pub(crate) fn valid(
    config: Result<Config, InvalidConfig>,
    registry: &Registry,
    findings: &mut Findings,
) -> Option<Config> {
    let invalid = match config {
        Ok(config) => return Some(config),
        Err(invalid) => invalid,
    };
    for error in hosts::mistakes(invalid, registry) {
        findings.refuse(Subject::Config, error.to_string());
    }
    None
}

/// Checks everything. `None` if the server would not start.
pub(crate) async fn inspect(
    config: &Config,
    registry: &Registry,
    scope: Scope,
    findings: &mut Findings,
) -> Option<Inspected> {
    let (mut read, mut stored) = (Findings::default(), Findings::default());
    let (authorities, ()) =
        tokio::join!(trust(config, &mut read), storage::look(config, &mut stored));
    let (hosts, tls) = files(config, registry, authorities.as_ref(), findings);
    findings.append(read);
    findings.append(stored);
    let listeners = ports::open(config, scope.ports, findings);
    if scope.modules {
        modules::rehearse(config, registry, &hosts, findings).await;
    }
    match (authorities, tls) {
        (Some(authorities), Some(tls)) if !findings.is_refused => {
            Some(Inspected { hosts, authorities, tls, listeners })
        }
        _ => None,
    }
}

/// Reads what the certificates of other servers are judged by. `None` if a file of `[s2s]` cannot be
/// used.
pub(crate) async fn trust(config: &Config, findings: &mut Findings) -> Option<Authorities> {
    // On another thread, because reading the system's certificates takes long.
    let s2s = config.s2s.clone();
    let subject = Subject::Certificates;
    match tokio::task::spawn_blocking(move || Authorities::load(&s2s)).await {
        Ok(Ok(authorities)) => {
            for Remark { key, message, help } in authorities.remarks(SystemTime::now()) {
                let message = format!("{}{message}", config.at(&key));
                findings.add_with_help(Level::Warning, subject, message, help);
            }
            Some(authorities)
        }
        Ok(Err(errors)) => {
            for error in errors {
                let message = format!("{}{error}", config.at(error.key()));
                findings.refuse_with_help(subject, message, error.help());
            }
            None
        }
        Err(error) => {
            findings.refuse(subject, format!("cannot read certificates: {error}"));
            None
        }
    }
}

/// Checks the config and the files that it names, as a reload does. The result is valid only if nothing
/// is refused.
pub(crate) fn files(
    config: &Config,
    registry: &Registry,
    authorities: Option<&Authorities>,
    findings: &mut Findings,
) -> (Vec<HostConfig>, Option<Tls>) {
    let mut warnings = Vec::new();
    let hosts = hosts::hosts(config, registry, &mut warnings);
    for warning in warnings {
        findings.add(Level::Warning, Subject::Config, warning);
    }
    let hosts = hosts.unwrap_or_else(|errors| {
        for error in errors {
            findings.refuse(Subject::Config, error.to_string());
        }
        Vec::new()
    });
    advice::give(config, findings);
    if let Err(error) = log::look(&config.log) {
        let help = "make its folder, and let the user that the server runs as write there";
        let message = format!("{}{error}", config.at("log.file"));
        findings.refuse_with_help(Subject::Config, message, help);
    }
    let tls = certificates::load(config, authorities, SystemTime::now(), findings);
    (hosts, tls)
}
