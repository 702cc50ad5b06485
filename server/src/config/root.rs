//! The config as a whole.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::database::Storage;
use super::error::Place;
use super::host::{ComponentConfig, HostSection, TlsFiles};
use super::limits::Limits;
use super::listen::{Listen, ListenKind};
use super::log::Log;
use super::s2s::S2s;
use super::table::config_table;
use super::value::{at_least, by_domain};

config_table! {
    /// The config of the server. Every key is optional, except those marked as required.
    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
    #[serde(deny_unknown_fields, default)]
    pub struct Config {
        /// The file; `None` for the defaults.
        #[serde(skip)]
        pub file: Option<PathBuf>,
        /// The folder of the database, of self-signed certificates and of the socket for commands.
        pub data: PathBuf,
        /// Whether the data folder is set on the command line, which overrides the file.
        #[serde(skip)]
        pub data_is_given: bool,
        /// Where the keys stand whose values are checked when the server starts, by their full names.
        #[serde(skip)]
        pub(crate) places: BTreeMap<String, Place>,
        /// The threads that serve streams. Default: one for each processor, at least 2.
        #[serde(deserialize_with = "at_least::<1, _, _>")]
        pub threads: NonZeroUsize,
        /// The listeners.
        pub listen: Vec<Listen>,
        /// The certificate of every host without its own.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub tls: Option<TlsFiles>,
        /// The hosts with accounts, by normalised name.
        #[serde(deserialize_with = "by_domain")]
        pub host: BTreeMap<String, HostSection>,
        /// The hosts without accounts, by normalised name.
        #[serde(deserialize_with = "by_domain")]
        pub component: BTreeMap<String, ComponentConfig>,
        /// Connections to other servers.
        pub s2s: S2s,
        /// Where data is stored.
        pub storage: Storage,
        /// The log.
        pub log: Log,
        /// The resources that one peer may use.
        pub limits: Limits,
    }
}

impl Config {
    /// The config as a table, for the `config-reloaded` event. Secrets and the options of modules
    /// are left out: any option may be a secret, and all modules get the event.
    pub fn to_table(&self) -> toml::Table {
        // Fails only for maps whose keys are not strings, and a config has none.
        toml::Table::try_from(self).unwrap_or_default()
    }

    /// The place of a key as the beginning of a message; empty if the file does not have the key.
    pub(crate) fn at(&self, key: &str) -> String {
        self.places.get(key).map(|place| format!("{place}: ")).unwrap_or_default()
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
            places: BTreeMap::new(),
            threads: threads(),
            listen: [ListenKind::C2s, ListenKind::C2sTls].map(Listen::default_of).to_vec(),
            tls: None,
            host: BTreeMap::from([("localhost".to_owned(), HostSection::default())]),
            component: BTreeMap::new(),
            s2s: S2s::default(),
            storage: Storage::default(),
            log: Log::default(),
            limits: Limits::default(),
        }
    }
}

/// One thread for each processor, and at least two, so that a blocked thread does not stop all
/// streams.
fn threads() -> NonZeroUsize {
    let processors = std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
    processors.max(NonZeroUsize::MIN.saturating_add(1))
}
