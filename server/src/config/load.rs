//! Makes a [`Config`] of the text of a config file: adds places, paths and the defaults that depend
//! on other keys, and refuses values that contradict each other.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use thiserror::Error;
use toml::Spanned;

use super::error::{ConfigError, Place, in_order};
use super::host::TlsFiles;
use super::listen::{Listen, ListenKind};
use super::mistakes::{deserialize, read_all};
use super::modules::{Modules, names};
use super::options::ModuleOptions;
use super::root::Config;
use super::s2s::{Pin, S2s};
use super::source::{Source, Step, Tree, dotted, find, get, key_span, keys};
use super::value::Domain;

/// The file that is read if the command line names no file.
pub const DEFAULT_FILE: &str = "spondee.toml";

/// A config file that cannot be used.
#[derive(Debug, Error)]
#[error("{}", errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("\nerror: "))]
pub struct InvalidConfig {
    /// Every mistake, in the order of the lines.
    pub errors: Vec<ConfigError>,
    /// The config without the wrong values, in which further mistakes can be found. `None` if the
    /// file cannot be read or is not TOML.
    pub(crate) rest: Option<Box<Config>>,
}

impl Config {
    /// Loads the file named on the command line, else [`DEFAULT_FILE`] if it exists, else the
    /// defaults.
    ///
    /// # Errors
    ///
    /// The file cannot be read, or has mistakes.
    pub fn load(file: Option<&Path>) -> Result<Self, InvalidConfig> {
        let path = file.unwrap_or(Path::new(DEFAULT_FILE));
        match std::fs::read_to_string(path) {
            Ok(text) => Self::parse(path, &text),
            Err(error) if file.is_none() && error.kind() == io::ErrorKind::NotFound => {
                Ok(Self::default())
            }
            Err(source) => {
                let error = ConfigError::Read { file: path.to_owned(), source };
                Err(InvalidConfig { errors: vec![error], rest: None })
            }
        }
    }

    /// Parses the text of a config file. Messages name `file`, and paths are relative to its
    /// folder.
    ///
    /// # Errors
    ///
    /// The text has mistakes.
    pub fn parse(file: &Path, text: &str) -> Result<Self, InvalidConfig> {
        let source = Arc::new(Source::new(file.display().to_string(), text));
        let mut tree = match source.tree() {
            Ok(tree) => tree,
            Err(error) => return Err(InvalidConfig { errors: vec![error], rest: None }),
        };
        let mut errors = Vec::new();
        let config: Option<Self> = read_all(&source, &[], &mut tree, &mut errors, deserialize);
        let config = config.map(|mut config| {
            config.file = Some(file.to_owned());
            join_paths(&mut config, file.parent().unwrap_or(Path::new("")));
            Loader { source: &source, tree: &tree, errors: &mut errors }.finish(&mut config);
            config
        });
        match config {
            Some(config) if errors.is_empty() => Ok(config),
            rest => {
                in_order(&mut errors);
                Err(InvalidConfig { errors, rest: rest.map(Box::new) })
            }
        }
    }
}

/// Resolves the paths of a config relative to `folder`.
fn join_paths(config: &mut Config, folder: &Path) {
    let hosts = config.host.values_mut().map(|host| &mut host.tls);
    let components = config.component.values_mut().map(|component| &mut component.tls);
    let tls = hosts.chain(components).chain([&mut config.tls]).flatten();
    let tls = tls.flat_map(|files| [&mut files.certificate, &mut files.key]);
    let single =
        [config.s2s.authorities.as_mut(), config.log.file.as_mut(), Some(&mut config.data)];
    let pins = config.s2s.pins.values_mut().flatten().filter_map(|pin| match pin {
        Pin::File(path) => Some(path),
        Pin::Fingerprint(_) => None,
    });
    let join = |path: &mut PathBuf| *path = folder.join(&path);
    let paths = tls.chain(single.into_iter().flatten());
    paths.chain(pins).chain(&mut config.s2s.crls).for_each(join);
}

struct Loader<'a, 'i> {
    source: &'a Arc<Source>,
    tree: &'a Tree<'i>,
    errors: &'a mut Vec<ConfigError>,
}

impl Loader<'_, '_> {
    fn finish(&mut self, config: &mut Config) {
        if let Some(tls) = &mut config.tls {
            tls.place = self.place(&keys(&["tls"]));
        }
        let single: [&[&str]; 5] = [
            &["data"],
            &["log", "file"],
            &["s2s", "authorities"],
            &["s2s", "crls"],
            &["storage", "url"],
        ];
        for path in single {
            let path = keys(path);
            if let Some(span) = key_span(self.tree, &path) {
                config.places.insert(dotted(&path), self.source.place(span));
            }
        }
        for path in self.names(&["s2s", "pins"]) {
            if let Some(domain) = domain(&path) {
                config.places.insert(S2s::pins_key(&domain), self.place(&path));
            }
        }
        // `localhost` is served only if the file names neither hosts nor components.
        let has_names = ["host", "component"].iter().any(|table| !self.names(&[table]).is_empty());
        if !has_names {
            config.host = Config::default().host;
        } else if get(self.tree, "host").is_none() {
            config.host.clear();
        }
        self.hosts(config);
        self.domains(&[&["host"], &["component"]]);
        self.domains(&[&["s2s", "routes"]]);
        self.domains(&[&["s2s", "pins"]]);
        if get(self.tree, "listen").is_some() {
            self.listen(&mut config.listen);
            return;
        }
        // By default, a file that names a host or component has a listener for servers. If a
        // component has a secret, there is also a listener for components.
        let has_secret = config.component.values().any(|component| component.secret.is_some());
        let servers = has_names.then_some(ListenKind::S2s);
        let more = servers.into_iter().chain(has_secret.then_some(ListenKind::Component));
        config.listen.extend(more.map(Listen::default_of));
    }

    /// Stores the places of hosts and components, and refuses empty secrets.
    fn hosts(&mut self, config: &mut Config) {
        for path in self.names(&["host"]) {
            if let Some(host) = domain(&path).and_then(|name| config.host.get_mut(&name)) {
                host.place = Some(self.place(&path));
                self.parts(&path, &mut host.modules, host.tls.as_mut(), &mut host.module);
            }
        }
        for path in self.names(&["component"]) {
            let component = domain(&path).and_then(|name| config.component.get_mut(&name));
            let Some(component) = component else { continue };
            component.place = Some(self.place(&path));
            let tls = component.tls.as_mut();
            self.parts(&path, &mut component.modules, tls, &mut component.module);
            if component.secret.as_ref().is_some_and(|secret| secret.is_empty()) {
                let path = [&path, &keys(&["secret"])[..]].concat();
                self.error(&path, "empty; choose a secret, or leave the key out".to_owned());
            }
        }
    }

    /// Stores the places of the parts of a host.
    fn parts(
        &self,
        path: &[Step],
        modules: &mut Modules,
        tls: Option<&mut TlsFiles>,
        options: &mut BTreeMap<String, ModuleOptions>,
    ) {
        let below = |more: &[&str]| [path, &keys(more)].concat();
        if let Some(tls) = tls {
            tls.place = self.place(&below(&["tls"]));
        }
        for (name, options) in options {
            let path = below(&["module", name]);
            let place = self.place(&path);
            options.locate(self.source, path, place);
        }
        let list = find(self.tree, &below(&["modules"])).and_then(|list| list.get_ref().as_array());
        for module in modules.mentioned_mut() {
            let is_it = |item: &&Tree<'_>| {
                item.get_ref().as_str().is_some_and(|text| names(text, &module.name))
            };
            if let Some(item) = list.and_then(|list| list.iter().find(is_it)) {
                module.place = self.source.place(item.span());
            }
        }
    }

    /// Refuses a domain that is in these tables twice after normalisation.
    fn domains(&mut self, tables: &[&[&str]]) {
        let mut paths: Vec<_> = tables.iter().flat_map(|table| self.names(table)).collect();
        paths.sort_by_key(|path| key_span(self.tree, path).map(|span| span.start));
        let mut seen = BTreeSet::new();
        for path in paths {
            let Some(name) = domain(&path) else { continue };
            if !seen.insert(name.clone()) {
                self.error(&path, format!("the domain {name} is in the file twice"));
            }
        }
    }

    /// Stores the places of listeners, and refuses an address that another listener has.
    fn listen(&mut self, listen: &mut [Listen]) {
        let mut seen: Vec<(SocketAddr, usize)> = Vec::new();
        for (index, Listen { address, place, .. }) in listen.iter_mut().enumerate() {
            let item =
                |key: &str| [Step::Key("listen".into()), Step::Index(index), Step::Key(key.into())];
            let value = find(self.tree, &item("address")).or(find(self.tree, &item("kind")));
            let here = self.source.place(value.map_or(0..0, Spanned::span));
            // Port 0 asks the kernel for a free port, so several listeners may have it.
            let taken = seen.iter().find(|(other, _)| other == address && address.port() != 0);
            if let Some((_, line)) = taken {
                let message = format!("line {line} has a listener on {address} already");
                let key = dotted(&item("address"));
                self.errors.push(ConfigError::Value { place: here.clone(), key, message });
            }
            seen.push((*address, here.line));
            *place = Some(here);
        }
    }

    /// The paths of the entries of a table.
    fn names(&self, table: &[&str]) -> Vec<Vec<Step>> {
        let path = keys(table);
        let table = find(self.tree, &path).and_then(|table| table.get_ref().as_table());
        let names = table.into_iter().flat_map(|table| table.keys());
        names.map(|name| [&path[..], &[Step::Key(name.get_ref().to_string())]].concat()).collect()
    }

    /// Where the key at `path` stands.
    fn place(&self, path: &[Step]) -> Place {
        self.source.place(key_span(self.tree, path).unwrap_or(0..0))
    }

    fn error(&mut self, path: &[Step], message: String) {
        let place = self.place(path);
        self.errors.push(ConfigError::Value { place, key: dotted(path), message });
    }
}

/// The normalised domain name that is the last key of `path`.
fn domain(path: &[Step]) -> Option<String> {
    match path.last() {
        Some(Step::Key(name)) => Domain::try_from(name.clone()).ok().map(|Domain(name)| name),
        _ => None,
    }
}
