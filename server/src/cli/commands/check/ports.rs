//! Whether all addresses can be bound.

use std::io;

use super::findings::{Findings, Level, Subject};
use crate::config::{Config, Listen, ListenKind};
use crate::net::listener::{self, ListenError};

pub(super) fn check(config: &Config, is_running: bool, findings: &mut Findings) {
    if is_running {
        let message = "a server runs on this data folder: its ports are not tried";
        findings.add(Level::Note, Subject::Ports, message);
    }
    // Kept open until all were tried, as two may conflict with each other.
    let mut open = Vec::new();
    for (index, listen) in config.listen.iter().enumerate() {
        in_the_clear(listen, findings);
        if !is_running {
            match listener::bind(listen) {
                Ok(listener) => open.push(listener),
                Err(error) => refused(&error, config.listen.get(..index), findings),
            }
        }
    }
}

fn refused(error: &ListenError, before: Option<&[Listen]>, findings: &mut Findings) {
    let ListenError::Bind { listen, source, .. } = error;
    if source.kind() == io::ErrorKind::AddrInUse
        && let Some(other) = before
            .unwrap_or_default()
            .iter()
            .find(|other| other.address.port() == listen.address.port())
    {
        let place = |listen: &Listen| {
            let line = listen.place.as_ref().map(|place| format!("{place}: "));
            format!("{}{}", line.unwrap_or_default(), listen.address)
        };
        findings.add_with_help(
            Level::Error,
            Subject::Ports,
            format!("{} is in the way of {}", place(other), place(listen)),
            "give one of them another port, or leave out the one that the other includes",
        );
        return;
    }
    findings.add(Level::Error, Subject::Ports, error.to_string());
}

fn in_the_clear(listen: &Listen, findings: &mut Findings) {
    let is_clear = matches!(listen.kind, ListenKind::Component | ListenKind::Http);
    if is_clear && !listen.address.ip().is_loopback() {
        let (kind, address) = (listener::name(listen.kind), listen.address);
        findings.add_with_help(
            Level::Warning,
            Subject::Ports,
            format!("{kind} on {address} is not encrypted, and open to other machines"),
            "listen on 127.0.0.1, or on an address of a private network",
        );
    }
}
