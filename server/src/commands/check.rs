//! `spondee check`: what is wrong, and how to mend it.

use event_core::{ModuleCrate, Registry};
use spondee_modules::DEFAULTS;

use crate::{
    cli::{FAILURE, HooksQuery, SUCCESS},
    config::{Config, ConfigError, TlsFiles},
    control, hosts, listener, tls,
};

/// What was found.
#[derive(Debug, Default)]
struct Findings {
    errors: Vec<String>,
    warnings: Vec<String>,
    notes: Vec<String>,
}

pub(super) fn print(config: Result<Config, ConfigError>, crates: &[ModuleCrate]) -> u8 {
    let mut findings = Findings::default();
    match config {
        Err(error) => findings.errors.push(error.to_string()),
        Ok(config) => {
            let file = config.file.as_ref();
            findings.notes.push(match file {
                Some(file) => format!("config: {}", file.display()),
                None => "config: none, the defaults hold".to_owned(),
            });
            findings
                .notes
                .push(format!("hosts: {}", config.domains().collect::<Vec<_>>().join(", ")));
            findings.modules(&config, crates);
            findings.certificates(&config);
            findings.ports(&config);
        }
    }
    findings.notes.push(format!("default modules: {}", DEFAULTS.join(", ")));
    let mut text = String::new();
    let parts =
        [("", &findings.notes), ("warning: ", &findings.warnings), ("error: ", &findings.errors)];
    for (label, lines) in parts {
        lines.iter().for_each(|line| text.push_str(&format!("{label}{line}\n")));
    }
    if findings.errors.is_empty() {
        text.push_str("nothing is wrong\n");
    }
    super::say(&text);
    if findings.errors.is_empty() { SUCCESS } else { FAILURE }
}

impl Findings {
    fn modules(&mut self, config: &Config, crates: &[ModuleCrate]) {
        match Registry::new(crates) {
            Err(error) => self.errors.push(error.to_string()),
            Ok(registry) => {
                if let Err(errors) = hosts::hosts(config, &registry, &mut self.warnings) {
                    self.errors.extend(errors.iter().map(ToString::to_string));
                }
            }
        }
    }

    fn certificates(&mut self, config: &Config) {
        let mut without = Vec::new();
        let hosts = config.host.iter().map(|(name, host)| (name, &host.tls));
        let components = config.component.iter().map(|(name, component)| (name, &component.tls));
        for (name, own) in hosts.chain(components) {
            match own.as_ref().or(config.tls.as_ref()) {
                Some(files) => self.certificate(name, files),
                None => without.push(name.as_str()),
            }
        }
        if !without.is_empty() {
            self.warnings.push(format!(
                "{} has no certificate: a self-signed one is used, which clients refuse unless \
                 told to trust it; set certificate and key in [tls]",
                without.join(", ")
            ));
        }
    }

    fn certificate(&mut self, host: &str, files: &TlsFiles) {
        let place = &files.place;
        match tls::load(files) {
            Err(error) => {
                let error = format!("{place}: {error}");
                if !self.errors.contains(&error) {
                    self.errors.push(error);
                }
            }
            Ok(certificate) if !tls::covers(&certificate, host) => self.errors.push(format!(
                "{place}: the certificate {} is not made out to {host}; get one that is, and set \
                 it in [host.\"{host}\".tls]",
                files.certificate.display()
            )),
            Ok(_) => {}
        }
    }

    fn ports(&mut self, config: &Config) {
        let query = HooksQuery { host: Some(String::new()), ..HooksQuery::default() };
        let is_running = control::hooks(&config.data, &query).is_some();
        if is_running {
            self.notes
                .push("a server runs on this data folder: its ports are not tried".to_owned());
        }
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        for listen in &config.listen {
            if let Err(error) = listener::check(listen) {
                self.errors.push(error.to_string());
            } else if !is_running
                && let Ok(runtime) = &runtime
                && let Err(error) = runtime.block_on(listener::bind(listen))
            {
                self.errors.push(error.to_string());
            }
        }
    }
}
