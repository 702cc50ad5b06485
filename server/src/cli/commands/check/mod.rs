//! `spondee check`: reports problems and remedies. It changes nothing, and does not disturb a
//! running server.

mod dns;
#[cfg(test)]
mod tests;

use event_core::{Bundle, Registry};

use crate::{
    cli::{CheckOptions, FAILURE, HooksQuery, SUCCESS, output::say},
    config::{Config, InvalidConfig},
    control::client,
    run::inspect::{self, Finding, Findings, Level, Scope, Subject},
};

pub(super) fn print(
    config: Result<Config, InvalidConfig>,
    bundles: &[Bundle],
    options: CheckOptions,
) -> u8 {
    let Findings { mut all, .. } = look(config, bundles);
    all.sort_by_key(|finding| finding.level);
    let is_wrong = all.iter().any(|finding| finding.level == Level::Error);
    if options.json {
        // Serializing findings cannot fail.
        say(&format!("{}\n", serde_json::to_string_pretty(&all).unwrap_or_default()));
    } else {
        let mut text: String = all.iter().map(Finding::lines).collect();
        let warnings = all.iter().filter(|finding| finding.level == Level::Warning).count();
        match warnings {
            _ if is_wrong => {}
            0 => text.push_str("nothing is wrong\n"),
            1 => text.push_str("no error, 1 warning\n"),
            _ => text.push_str(&format!("no error, {warnings} warnings\n")),
        }
        say(&text);
    }
    if is_wrong { FAILURE } else { SUCCESS }
}

fn look(config: Result<Config, InvalidConfig>, bundles: &[Bundle]) -> Findings {
    let mut findings = Findings::default();
    let defaults: Vec<&str> = bundles.iter().flat_map(|bundle| bundle.defaults).copied().collect();
    note(&mut findings, format!("default modules: {}", defaults.join(", ")));
    let registry = match Registry::new(bundles) {
        Ok(registry) => registry,
        Err(error) => {
            findings.refuse(Subject::Config, error.to_string());
            return findings;
        }
    };
    let Some(config) = inspect::valid(config, &registry, &mut findings) else { return findings };
    let file = config.file.as_ref().map(|file| format!("config: {}", file.display()));
    note(&mut findings, file.unwrap_or_else(|| "config: none, the defaults hold".to_owned()));
    let domains = config.domains().collect::<Vec<_>>().join(", ");
    note(&mut findings, format!("hosts: {domains}"));
    let query = HooksQuery { host: Some(String::new()), ..HooksQuery::default() };
    let is_running = client::hooks(&config.data, &query).is_some();
    if is_running {
        let message = "a server runs on this data folder: its ports are not tried";
        findings.add(Level::Note, Subject::Ports, message);
    }
    match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Err(error) => {
            let message = format!("files, ports, DNS and storage were not checked: {error}");
            findings.add(Level::Error, Subject::Config, message);
        }
        Ok(runtime) => runtime.block_on(async {
            let scope = Scope { ports: !is_running, modules: true };
            drop(inspect::inspect(&config, &registry, scope, &mut findings).await);
            dns::check(&config, &mut findings).await;
        }),
    }
    findings
}

fn note(findings: &mut Findings, message: String) {
    findings.add(Level::Note, Subject::Config, message);
}
