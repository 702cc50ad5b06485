//! The protocol between the command line and a running server.
//!
//! A connection has one request and one answer. Each is JSON, preceded by its length in four bytes.
//! After the request, a second part of the same form contains the secret (a password or a list of
//! accounts), which is wiped from memory.

use std::{fs, io, path::Path};

use event_core::{Core, HookListing};
use jid::BareJid;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::{cli::HooksQuery, run::reload::Report};

pub(super) const SOCKET: &str = "spondee.sock";

/// The longest request or answer, in bytes.
pub(super) const MAX_JSON: u32 = 16 * 1024 * 1024;
/// The longest password or list, in bytes.
pub(super) const MAX_SECRET: u32 = 512 * 1024 * 1024;
/// The longest path of a socket, somewhat below the limit of the kernel.
const MAX_PATH: usize = 100;

/// A request.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Request {
    Add(#[serde(with = "as_text")] BareJid),
    List(Vec<String>),
    Remove(#[serde(with = "as_text")] BareJid),
    Passwd(#[serde(with = "as_text")] BareJid),
    Import,
    Reload,
    Hooks { host: Option<String>, event: Option<String>, module: Option<String> },
}

/// An answer.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Answer {
    User { lines: Vec<String>, problems: Vec<String> },
    Hooks(Vec<HookLine>),
    Reloaded(Report),
    Error(String),
}

mod as_text {
    use jid::BareJid;
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub(super) fn serialize<S: Serializer>(jid: &BareJid, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(jid.as_str())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<BareJid, D::Error> {
        BareJid::new(&String::deserialize(from)?).map_err(D::Error::custom)
    }
}

pub(super) type Secret = Zeroizing<Vec<u8>>;

/// Calls `with` with a path of the socket that is short enough for the kernel.
pub(super) fn with_path<T>(
    data: &Path,
    with: impl FnOnce(&Path) -> io::Result<T>,
) -> io::Result<T> {
    let path = data.join(SOCKET);
    if path.as_os_str().len() <= MAX_PATH || !cfg!(target_os = "linux") {
        return with(&path);
    }
    let folder = fs::File::open(data)?;
    let number = std::os::fd::AsRawFd::as_raw_fd(&folder);
    with(&Path::new("/proc/self/fd").join(number.to_string()).join(SOCKET))
}

pub(super) fn checked(length: u32, max: u32) -> io::Result<usize> {
    if length > max {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "the message is too long"));
    }
    usize::try_from(length).map_err(io::Error::other)
}

pub(super) fn frame(part: &[u8]) -> io::Result<Secret> {
    let length = u32::try_from(part.len()).map_err(io::Error::other)?;
    let mut framed = Zeroizing::new(Vec::with_capacity(part.len() + 4));
    framed.extend_from_slice(&length.to_be_bytes());
    framed.extend_from_slice(part);
    Ok(framed)
}

/// A handler on a host, as `spondee hooks` shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct HookLine {
    pub(crate) host: String,
    pub(crate) event: String,
    pub(crate) priority: i32,
    /// The band of a post-routing stanza handler.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) role: Option<String>,
    pub(crate) module: String,
    pub(crate) function: String,
    pub(crate) file: String,
    pub(crate) line: u32,
    pub(crate) column: u32,
    pub(crate) r#async: bool,
    /// What is wrong with the hook in this configuration.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) warning: Option<String>,
    /// The handler's counters; `None` when no server runs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) counts: Option<Counts>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Counts {
    pub(crate) calls: u64,
    pub(crate) handled: u64,
    pub(crate) errors: u64,
    pub(crate) panics: u64,
    pub(crate) mean_ns: Option<u64>,
}

impl HookLine {
    fn new(host: &str, listing: &HookListing) -> Self {
        let (hook, stats) = (listing.hook, listing.stats);
        Self {
            host: host.to_owned(),
            event: hook.event.to_owned(),
            priority: hook.priority,
            role: hook.band().map(|band| format!("{band:?}").to_lowercase()),
            module: listing.module.to_owned(),
            function: hook.id(),
            file: hook.file.to_owned(),
            line: hook.line,
            column: hook.column,
            r#async: hook.is_async,
            warning: listing.warning.as_ref().map(ToString::to_string),
            counts: Some(Counts {
                calls: stats.calls,
                handled: stats.handled,
                errors: stats.errors,
                panics: stats.panics,
                mean_ns: stats.mean_ns(),
            }),
        }
    }

    /// The handlers of a core that match a query.
    pub(crate) fn all(core: &Core, query: &HooksQuery) -> Vec<Self> {
        let is = |asked: &Option<String>, name: &str| asked.as_deref().is_none_or(|a| a == name);
        let mut lines = Vec::new();
        for host in core.hosts().iter().filter(|host| is(&query.host, host.name())) {
            let hooks = core.hooks(host);
            let wanted = hooks.iter().filter(|listing| {
                is(&query.event, listing.hook.event) && is(&query.module, listing.module)
            });
            lines.extend(wanted.map(|listing| Self::new(host.name(), listing)));
        }
        lines
    }
}
