//! A module's options as they stand in the file, until the module itself reads them.

use std::fmt;
use std::sync::Arc;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::error::{ConfigError, Place, nearest};
use super::source::{Source, descend, dotted, is_secret, plain_words};

/// The options of one module on one host: a table nobody has read yet.
#[derive(Clone)]
pub struct ModuleOptions {
    source: Arc<Source>,
    path: Vec<String>,
    place: Place,
}

/// Reads a module's options into the type the module declares.
///
/// # Errors
///
/// A key the type does not know (if it refuses unknown keys), a wrong type or a missing key, with
/// the file, the line and the nearest valid key.
pub fn deserialize_options<T: DeserializeOwned>(options: &ModuleOptions) -> Result<T, ConfigError> {
    options.read()
}

impl ModuleOptions {
    pub(super) fn new(source: &Arc<Source>, path: Vec<String>, place: Place) -> Self {
        Self { source: Arc::clone(source), path, place }
    }

    /// Options for a module the file does not mention: an empty table.
    pub fn empty() -> Self {
        let place = Place { file: "(defaults)".into(), line: 1 };
        Self::new(&Arc::new(Source::new("(defaults)", "")), Vec::new(), place)
    }

    /// Where the table starts.
    pub fn place(&self) -> &Place {
        &self.place
    }

    /// The table for showing: values whose key speaks of a secret are left out.
    pub fn without_secrets(&self) -> toml::Table {
        let mut table = self.read().unwrap_or_default();
        remove_secrets(&mut table);
        table
    }

    /// Words a module's complaint about its options for the person who wrote them, with the line
    /// of the key at fault; `known` are the keys the module has.
    pub(crate) fn explain(&self, error: &toml::de::Error, known: &[&str]) -> ConfigError {
        let message = error.message();
        let quoted = || message.split('`').nth(1).unwrap_or_default().to_owned();
        let place_of = |key: &str| {
            let path: Vec<String> = self.path.iter().cloned().chain([key.to_owned()]).collect();
            let known = self.read::<toml::Table>().is_ok_and(|table| table.contains_key(key));
            if known { self.source.place_of(&path) } else { self.place.clone() }
        };
        if message.starts_with("unknown field `") {
            let key = quoted();
            return ConfigError::UnknownKey {
                place: place_of(&key),
                suggestions: nearest(&key, known.iter().copied()).into(),
                table: dotted(&self.path),
                known: known.iter().map(|known| (*known).to_owned()).collect(),
                key,
            };
        }
        if message.starts_with("missing field `") {
            let table = dotted(&self.path);
            return ConfigError::MissingKey { place: self.place.clone(), key: quoted(), table };
        }
        // The library says where it was as "in `key`", which its message alone leaves out.
        let full = error.to_string();
        let key = full.rsplit_once("in `").and_then(|(_, rest)| rest.split('`').next());
        let key = key.unwrap_or_default();
        let path: Vec<String> = self.path.iter().cloned().chain([key.to_owned()]).collect();
        let path = if key.is_empty() { self.path.clone() } else { path };
        ConfigError::Value {
            place: place_of(key.split('.').next().unwrap_or_default()),
            key: dotted(&path),
            message: plain_words(message, path.iter().any(|key| is_secret(key))),
        }
    }

    fn read<T: DeserializeOwned>(&self) -> Result<T, ConfigError> {
        let tree = self.source.tree()?;
        self.source.read(descend(&tree, &self.path), &self.path)
    }
}

fn remove_secrets(table: &mut toml::Table) {
    table.retain(|key, _| !is_secret(key));
    for (_, value) in table.iter_mut() {
        remove_from_value(value);
    }
}

fn remove_from_value(value: &mut toml::Value) {
    match value {
        toml::Value::Table(table) => remove_secrets(table),
        toml::Value::Array(items) => items.iter_mut().for_each(remove_from_value),
        _ => {}
    }
}

/// Options are the same when they read the same; where they stand in the file does not matter.
impl PartialEq for ModuleOptions {
    fn eq(&self, other: &Self) -> bool {
        let tables: (Result<toml::Table, _>, Result<toml::Table, _>) = (self.read(), other.read());
        matches!(tables, (Ok(one), Ok(two)) if one == two)
    }
}

impl fmt::Debug for ModuleOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ModuleOptions").field("place", &self.place).finish_non_exhaustive()
    }
}

impl Serialize for ModuleOptions {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.without_secrets().serialize(serializer)
    }
}
