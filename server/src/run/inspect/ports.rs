//! Whether all addresses can be bound.

use std::io;

use tokio::net::TcpListener;

use super::findings::{Findings, Level, Subject};
use crate::config::{Config, Listen, ListenKind};
use crate::net::listener::{self, ListenError};

/// Opens all ports, unless a running server has them. No connection is accepted yet.
pub(super) fn open(
    config: &Config,
    tries: bool,
    findings: &mut Findings,
) -> Vec<(Listen, TcpListener)> {
    let mut open = Vec::new();
    for (index, listen) in config.listen.iter().enumerate() {
        in_the_clear(listen, findings);
        if tries {
            match listener::bind(listen) {
                Ok(listener) => open.push((listen.clone(), listener)),
                Err(error) => refuse(&error, config.listen.get(..index), findings),
            }
        }
    }
    open
}

fn refuse(error: &ListenError, before: Option<&[Listen]>, findings: &mut Findings) {
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
        findings.refuse_with_help(
            Subject::Ports,
            format!("{} is in the way of {}", place(other), place(listen)),
            "give one of them another port, or leave out the one that the other includes",
        );
        return;
    }
    findings.refuse(Subject::Ports, error.to_string());
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
