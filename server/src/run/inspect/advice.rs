//! Warnings about a valid config that probably has a mistake.

use super::findings::{Findings, Level, Subject};
use crate::config::{Config, ListenKind};

pub(super) fn give(config: &Config, findings: &mut Findings) {
    let mut warn = |message: String, help: String| {
        findings.add_with_help(Level::Warning, Subject::Config, message, help);
    };
    let listens =
        |kinds: &[ListenKind]| config.listen.iter().any(|listen| kinds.contains(&listen.kind));
    let is_open = |kind| {
        let mut listen = config.listen.iter();
        listen.any(|listen| listen.kind == kind && !listen.address.ip().is_loopback())
    };
    if !config.host.is_empty() && !listens(&[ListenKind::C2s, ListenKind::C2sTls]) {
        let hosts: Vec<&str> = config.host.keys().map(String::as_str).collect();
        warn(
            format!("nothing listens for clients: nobody can log in to {}", hosts.join(", ")),
            "add [[listen]] with kind = \"c2s\" and one with kind = \"c2s-tls\": with one \
             [[listen]] in the file, the defaults no longer apply"
                .to_owned(),
        );
    }
    for (name, _) in config.host.iter().filter(|(_, host)| host.allow_plaintext) {
        if is_open(ListenKind::C2s) {
            warn(
                format!("{name} lets clients from anywhere log in without TLS"),
                format!("take allow_plaintext out of [host.\"{name}\"]"),
            );
        }
    }
    let mut components = config.component.iter();
    if let Some((name, _)) = components.find(|(_, component)| component.secret.is_some())
        && !listens(&[ListenKind::Component])
    {
        warn(
            format!("the component {name} cannot connect: nothing listens for components"),
            "add [[listen]] with kind = \"component\"".to_owned(),
        );
    }
}
