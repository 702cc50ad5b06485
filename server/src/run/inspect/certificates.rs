//! The certificates that hosts show: names, dates, chain, key.

use std::time::{Duration, SystemTime};

use rustls::sign::CertifiedKey;
use x509_parser::asn1_rs::FromDer;
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::ParsedExtension;

use super::findings::{Findings, Level, Subject};
use crate::config::{Config, TlsFiles};
use crate::net::is_local;
use crate::s2s::certificate::{Authorities, Distrust};
use crate::tls::{self, Tls};

/// A certificate that expires within this time should have been renewed, because automatic renewal
/// usually happens a month ahead.
const SOON: Duration = Duration::from_secs(14 * 24 * 3600);

/// Loads the certificates of all hosts. `None` if one cannot be used.
pub(super) fn load(
    config: &Config,
    authorities: Option<&Authorities>,
    now: SystemTime,
    findings: &mut Findings,
) -> Option<Tls> {
    let mut without = Vec::new();
    let mut is_usable = true;
    let hosts = config.host.iter().map(|(name, host)| (name, &host.tls));
    let components = config.component.iter().map(|(name, component)| (name, &component.tls));
    for (name, own) in hosts.chain(components) {
        match own.as_ref().or(config.tls.as_ref()) {
            Some(files) => is_usable &= look(Some(name), files, authorities, now, findings),
            None => without.push(name.as_str()),
        }
    }
    // The start reads this certificate even if every host has its own.
    if let Some(files) = &config.tls {
        is_usable &= look(None, files, authorities, now, findings);
    }
    self_signed(&without, findings);
    if !is_usable {
        return None;
    }
    Tls::prepare(config).map_err(|error| refuse(findings, error.to_string())).ok()
}

fn self_signed(without: &[&str], findings: &mut Findings) {
    let (local, public): (Vec<&str>, Vec<&str>) =
        without.iter().copied().partition(|name| is_local(name));
    let all = [(Level::Warning, public), (Level::Note, local)];
    for (level, names) in all.into_iter().filter(|(_, names)| !names.is_empty()) {
        findings.add_with_help(
            level,
            Subject::Certificates,
            format!(
                "{} has no certificate: a self-signed one is used, which clients refuse unless \
                 told to trust it",
                names.join(", ")
            ),
            "set certificate and key in [tls]",
        );
    }
}

/// Checks the certificate of a host. `false` if the server cannot use it.
fn look(
    host: Option<&str>,
    files: &TlsFiles,
    authorities: Option<&Authorities>,
    now: SystemTime,
    findings: &mut Findings,
) -> bool {
    let loaded = tls::load(files);
    match &loaded {
        Err(error) => refuse(findings, format!("{}: {error}", files.place)),
        Ok(certificate) => {
            if let Some(host) = host {
                names(host, files, certificate, findings);
            }
            itself(files, certificate, authorities, now, findings);
        }
    }
    key(files, findings);
    loaded.is_ok()
}

fn refuse(findings: &mut Findings, message: String) {
    findings.refuse(Subject::Certificates, message);
}

fn add(findings: &mut Findings, level: Level, message: String) {
    findings.add(level, Subject::Certificates, message);
}

fn names(host: &str, files: &TlsFiles, certificate: &CertifiedKey, findings: &mut Findings) {
    if !tls::covers(certificate, host) {
        findings.add_with_help(
            Level::Error,
            Subject::Certificates,
            format!(
                "{}: the certificate {} is not made out to {host}",
                files.place,
                files.certificate.display()
            ),
            format!("get one that is, and set it in [host.\"{host}\".tls]"),
        );
    }
}

/// The checks whose results are the same for all hosts that share the certificate.
fn itself(
    files: &TlsFiles,
    certificate: &CertifiedKey,
    authorities: Option<&Authorities>,
    now: SystemTime,
    findings: &mut Findings,
) {
    let what = format!("{}: the certificate {}", files.place, files.certificate.display());
    let chain = &certificate.cert;
    let Some(Ok((_, leaf))) = chain.first().map(|leaf| X509Certificate::from_der(leaf)) else {
        return add(findings, Level::Error, format!("{what} cannot be read"));
    };
    let not_after = leaf.validity().not_after;
    let end = SystemTime::UNIX_EPOCH
        + Duration::from_secs(u64::try_from(not_after.timestamp()).unwrap_or_default());
    let day = not_after.to_datetime().date();
    if end > now && end < now + SOON {
        findings.add_with_help(
            Level::Warning,
            Subject::Certificates,
            format!("{what} expires on {day}"),
            "renew it; the server takes up the new one when its config is reloaded",
        );
    }
    if !is_for_servers(&leaf) {
        findings.add_with_help(
            Level::Error,
            Subject::Certificates,
            format!("{what} is for clients only"),
            "get one with the extended key usage serverAuth",
        );
    }
    let Some(authorities) = authorities else { return };
    // Names are checked for each host.
    let Err(distrust) = authorities.judge(chain, "", now).trust else { return };
    let (level, message, help) = match distrust {
        Distrust::Expired(_) => (Level::Error, format!("{what} expired on {day}"), "renew it"),
        Distrust::AuthorityExpired(_) => (Level::Error, format!("{what}: {distrust}"), "renew it"),
        Distrust::NotYetValid(_) => (
            Level::Error,
            format!("{what} is not valid before {}", leaf.validity().not_before),
            "set this machine's clock, or wait",
        ),
        Distrust::SelfSigned => (
            Level::Warning,
            format!("{what} is self-signed: clients and servers refuse it unless told to trust it"),
            "get one from an authority that they know",
        ),
        Distrust::UnknownAuthority if is_whole(chain) => (
            Level::Warning,
            format!("{what} comes from an authority that this machine does not know"),
            "if it is a private one, set authorities in [s2s] so that servers with its \
             certificates are trusted",
        ),
        Distrust::UnknownAuthority => (
            Level::Warning,
            format!("{what} does not lead to an authority that this machine knows"),
            "put the certificates in between behind it in the same file (often there is a \
             fullchain.pem); if its authority is a private one, set authorities in [s2s]",
        ),
        other => (Level::Error, format!("{what} is refused: {other}"), "get another one"),
    };
    findings.add_with_help(level, Subject::Certificates, message, help);
}

fn is_for_servers(leaf: &X509Certificate<'_>) -> bool {
    leaf.iter_extensions().all(|extension| match extension.parsed_extension() {
        ParsedExtension::ExtendedKeyUsage(usage) => usage.server_auth || usage.any,
        _ => true,
    })
}

/// Whether the chain ends with a self-signed authority.
fn is_whole<C: AsRef<[u8]>>(chain: &[C]) -> bool {
    let last = chain.last().and_then(|last| X509Certificate::from_der(last.as_ref()).ok());
    last.is_some_and(|(_, last)| last.subject().as_raw() == last.issuer().as_raw())
}

/// Reports a key that users outside of its group can access, or that its group can write.
fn key(files: &TlsFiles, findings: &mut Findings) {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let Ok(found) = std::fs::metadata(&files.key) else { return };
        let mode = found.permissions().mode() & 0o777;
        // A group may read it, as Debian's group ssl-cert does.
        if found.is_file() && mode & 0o027 != 0 {
            let key = files.key.display();
            findings.add_with_help(
                Level::Error,
                Subject::Certificates,
                format!("{}: the key {key} is open to others (mode {mode:03o})", files.place),
                format!("chmod o=,g-w {key}; if others were there, get a new key"),
            );
        }
    }
}
