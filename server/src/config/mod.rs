//! The config: every key is optional, and whatever is wrong is said with its line.
//!
//! Without `--config` the file `spondee.toml` of the working directory is read if it exists; else
//! the defaults hold: the host `localhost`, client ports 5222 and 5223, data in `data`. Paths in a
//! file are relative to the folder of that file.

mod check;
mod database;
mod error;
mod limits;
mod options;
mod raw;
mod source;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use event_core::Secret;
use jid::BareJid;
use serde::{Deserialize, Serialize};
use spondee_modules::saslauth::Mechanism;

pub use database::DatabaseUrl;
pub use error::{ConfigError, Place, nearest};
pub use limits::Limits;
pub use options::{ModuleOptions, deserialize_options};

/// The file read when none is named.
pub const DEFAULT_FILE: &str = "spondee.toml";

/// A checked config.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Config {
    /// The file it came from; none means the defaults.
    #[serde(skip)]
    pub file: Option<PathBuf>,
    /// The data folder.
    pub data: PathBuf,
    /// Whether that is from the command line, and not the file's to change.
    #[serde(skip)]
    pub data_is_given: bool,
    /// The threads that serve streams.
    pub threads: NonZeroUsize,
    /// What is listened on.
    pub listen: Vec<Listen>,
    /// The certificate of every host without one of its own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tls: Option<TlsFiles>,
    /// The hosts with accounts, by normalised name.
    pub host: BTreeMap<String, HostConfig>,
    /// The hosts without accounts, by normalised name.
    pub component: BTreeMap<String, ComponentConfig>,
    /// Other servers.
    pub s2s: S2s,
    /// Where what must survive is kept.
    pub storage: Storage,
    /// The log.
    pub log: Log,
    /// What a peer may cost.
    pub limits: Limits,
}

/// One thread for each processor; at least two, so that one that is busy stops nobody else.
fn threads() -> NonZeroUsize {
    let processors = std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
    processors.max(NonZeroUsize::MIN.saturating_add(1))
}

/// What speaks on a port.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ListenKind {
    /// Clients, with STARTTLS.
    C2s,
    /// Clients, TLS from the first byte.
    C2sTls,
    /// Servers, with STARTTLS.
    S2s,
    /// Servers, TLS from the first byte.
    S2sTls,
    /// External components (XEP-0114).
    Component,
    /// HTTP.
    Http,
}

impl ListenKind {
    /// The address used when a listener names none: clients and servers come from anywhere,
    /// components and HTTP from this machine, as both are unencrypted.
    pub fn default_address(self) -> SocketAddr {
        let (ip, port): (IpAddr, u16) = match self {
            Self::C2s => (Ipv6Addr::UNSPECIFIED.into(), 5222),
            Self::C2sTls => (Ipv6Addr::UNSPECIFIED.into(), 5223),
            Self::S2s => (Ipv6Addr::UNSPECIFIED.into(), 5269),
            Self::S2sTls => (Ipv6Addr::UNSPECIFIED.into(), 5270),
            Self::Component => (Ipv4Addr::LOCALHOST.into(), 5347),
            Self::Http => (Ipv4Addr::LOCALHOST.into(), 5280),
        };
        SocketAddr::new(ip, port)
    }
}

/// One `[[listen]]`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Listen {
    /// What speaks there.
    pub kind: ListenKind,
    /// The address.
    pub address: SocketAddr,
    /// Where it stands in the file; none for a default.
    #[serde(skip)]
    pub place: Option<Place>,
}

impl Listen {
    /// What to bind instead where the system has no IPv6; only for defaults, never for an address
    /// that somebody chose.
    pub fn fallback(&self) -> Option<SocketAddr> {
        let any = self.address.ip() == IpAddr::V6(Ipv6Addr::UNSPECIFIED);
        (any && self.address == self.kind.default_address())
            .then(|| SocketAddr::new(Ipv4Addr::UNSPECIFIED.into(), self.address.port()))
    }
}

/// A certificate chain and its key, as PEM files.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TlsFiles {
    /// The chain, the server's own certificate first.
    pub certificate: PathBuf,
    /// The private key.
    pub key: PathBuf,
    /// Where the table stands in the file.
    #[serde(skip)]
    pub place: Place,
}

/// One `[host."…"]`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct HostConfig {
    /// The modules enabled.
    pub modules: Modules,
    /// Who may administer the host.
    pub admins: Vec<BareJidText>,
    /// The SASL mechanisms offered; none means all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sasl: Option<Vec<Mechanism>>,
    /// Whether clients may authenticate without TLS.
    pub allow_plaintext: bool,
    /// A certificate of its own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tls: Option<TlsFiles>,
    /// The modules' options, by module.
    pub module: BTreeMap<String, ModuleOptions>,
    /// Where the host stands in the file; none for the default host.
    #[serde(skip)]
    pub place: Option<Place>,
}

/// One `[component."…"]`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ComponentConfig {
    /// The secret an external component proves; without one, modules serve the host.
    #[serde(skip)]
    pub secret: Option<Secret>,
    /// The modules enabled.
    pub modules: Modules,
    /// Who may administer it.
    pub admins: Vec<BareJidText>,
    /// A certificate of its own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tls: Option<TlsFiles>,
    /// The modules' options, by module.
    pub module: BTreeMap<String, ModuleOptions>,
    /// Where the component stands in the file.
    #[serde(skip)]
    pub place: Option<Place>,
}

/// A bare JID that serialises as its text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BareJidText(pub BareJid);

impl Serialize for BareJidText {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0.as_str())
    }
}

/// A module's name as the file has it, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModuleName {
    /// The name, without sign.
    pub name: String,
    /// Its place, for the message if no such module exists.
    pub place: Place,
}

/// Which modules a host runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Modules {
    /// The defaults without some, and then some more: `["+welcome", "-motd"]`.
    Defaults {
        /// Added after the defaults, in this order.
        add: Vec<ModuleName>,
        /// Taken out of the defaults.
        remove: Vec<ModuleName>,
    },
    /// Just these, in this order.
    Exactly(Vec<ModuleName>),
}

impl Default for Modules {
    fn default() -> Self {
        Self::Defaults { add: Vec::new(), remove: Vec::new() }
    }
}

impl Modules {
    /// The names in order, given the defaults of this kind of host.
    pub fn resolve(&self, defaults: &[&str]) -> Vec<String> {
        match self {
            Self::Exactly(names) => names.iter().map(|module| module.name.clone()).collect(),
            Self::Defaults { add, remove } => {
                let kept = defaults
                    .iter()
                    .filter(|name| remove.iter().all(|module| module.name != **name))
                    .map(|name| (*name).to_owned());
                let mut names: Vec<String> = kept.collect();
                for module in add {
                    if !names.contains(&module.name) {
                        names.push(module.name.clone());
                    }
                }
                names
            }
        }
    }

    /// Every name the file mentions.
    pub fn mentioned(&self) -> impl Iterator<Item = &ModuleName> {
        let (one, two) = match self {
            Self::Exactly(names) => (names.as_slice(), [].as_slice()),
            Self::Defaults { add, remove } => (add.as_slice(), remove.as_slice()),
        };
        one.iter().chain(two)
    }
}

impl Serialize for Modules {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let signed: Vec<String> = match self {
            Self::Exactly(names) => names.iter().map(|module| module.name.clone()).collect(),
            Self::Defaults { add, remove } => {
                let add = add.iter().map(|module| format!("+{}", module.name));
                add.chain(remove.iter().map(|module| format!("-{}", module.name))).collect()
            }
        };
        signed.serialize(serializer)
    }
}

/// `[s2s]`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct S2s {
    /// Certificate authorities trusted besides the system's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub authorities: Option<PathBuf>,
    /// Whether dialback may prove a name that a certificate does not.
    pub dialback: bool,
    /// The DNS resolver to ask instead of the system's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dns: Option<SocketAddr>,
    /// Addresses (`name:port`) to connect to instead of asking DNS, by normalised domain.
    pub routes: BTreeMap<String, String>,
    /// The stanzas that may wait for one domain; what comes then is refused.
    pub queue_stanzas: usize,
    /// The bytes that may wait for one domain.
    pub queue_bytes: usize,
    /// The seconds after which a stream to another server that is not used is closed.
    pub idle_seconds: u64,
}

impl Default for S2s {
    fn default() -> Self {
        Self {
            authorities: None,
            dialback: false,
            dns: None,
            routes: BTreeMap::new(),
            queue_stanzas: 2000,
            queue_bytes: 4 * 1024 * 1024,
            idle_seconds: 600,
        }
    }
}

/// `[storage]`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Storage {
    /// The PostgreSQL database used instead of an SQLite file in the data folder.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<DatabaseUrl>,
}

/// `[log]`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Log {
    /// How a line looks.
    pub format: LogFormat,
    /// The least important level that is written.
    pub level: LogLevel,
    /// The file written to instead of standard error.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<PathBuf>,
}

/// How log lines look.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

/// How much is logged.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogLevel {
    /// What an operator must look at.
    Error,
    /// What an operator should look at.
    Warn,
    /// What happens.
    #[default]
    Info,
    /// What happens inside.
    Debug,
    /// Everything.
    Trace,
}

impl Config {
    /// Loads the file named on the command line, else [`DEFAULT_FILE`] if there is one, else the
    /// defaults.
    ///
    /// # Errors
    ///
    /// The file cannot be read, or something in it is wrong.
    pub fn load(file: Option<&Path>) -> Result<Self, ConfigError> {
        let path = file.unwrap_or(Path::new(DEFAULT_FILE));
        match std::fs::read_to_string(path) {
            Ok(text) => Self::parse(path, &text),
            Err(error) if file.is_none() && error.kind() == io::ErrorKind::NotFound => {
                Ok(Self::default())
            }
            Err(source) => Err(ConfigError::Read { file: path.to_owned(), source }),
        }
    }

    /// Parses the text of a config file; `file` is used in messages, and its folder for paths.
    ///
    /// # Errors
    ///
    /// The first thing that is wrong in it.
    pub fn parse(file: &Path, text: &str) -> Result<Self, ConfigError> {
        check::check(file, text)
    }

    /// The config as a table, without any secret: for the `config-reloaded` event and for showing.
    pub fn to_table(&self) -> toml::Table {
        // Only maps with keys that are not texts could fail, and there are none.
        toml::Table::try_from(self).unwrap_or_default()
    }

    /// The names of all hosts and components.
    pub fn domains(&self) -> impl Iterator<Item = &str> {
        self.host.keys().chain(self.component.keys()).map(String::as_str)
    }
}

impl Default for Config {
    fn default() -> Self {
        Self {
            file: None,
            data: PathBuf::from("data"),
            data_is_given: false,
            threads: threads(),
            listen: check::default_listeners(),
            tls: None,
            host: check::default_hosts(),
            component: BTreeMap::new(),
            s2s: S2s::default(),
            storage: Storage::default(),
            log: Log::default(),
            limits: Limits::default(),
        }
    }
}
