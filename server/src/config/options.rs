//! A module's options, which the module itself checks.

use std::fmt;
use std::sync::Arc;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use toml::Spanned;
use toml::de::DeValue;

use super::error::{ConfigError, Place};
use super::mistakes::{Mistake, deserialize, read_all};
use super::source::{Source, Step, Tree, find};

/// The options of one module on one host.
#[derive(Clone, Deserialize)]
#[serde(from = "toml::Table")]
pub struct ModuleOptions {
    table: toml::Table,
    source: Arc<Source>,
    path: Vec<Step>,
    place: Place,
}

/// Reads a module's options into the type the module declares.
///
/// # Errors
///
/// All mistakes, with file and line: wrong types, missing keys, and, if the type denies unknown
/// keys, unknown keys with the nearest valid key.
pub fn deserialize_options<T: DeserializeOwned>(
    options: &ModuleOptions,
) -> Result<T, Vec<ConfigError>> {
    options.read(deserialize)
}

impl From<toml::Table> for ModuleOptions {
    fn from(table: toml::Table) -> Self {
        let place = Place { file: "(defaults)".into(), line: 1 };
        let source = Arc::new(Source::new(Arc::clone(&place.file), ""));
        Self { table, source, path: Vec::new(), place }
    }
}

impl ModuleOptions {
    /// The options of a module that the file does not mention: an empty table.
    pub fn empty() -> Self {
        toml::Table::new().into()
    }

    /// Sets where the table stands in the file.
    pub(super) fn locate(&mut self, source: &Arc<Source>, path: Vec<Step>, place: Place) {
        self.source = Arc::clone(source);
        self.path = path;
        self.place = place;
    }

    /// Where the table starts.
    pub fn place(&self) -> &Place {
        &self.place
    }

    /// The table as the file has it.
    pub(crate) fn table(&self) -> &toml::Table {
        &self.table
    }

    /// Checks the options with the module's own function `check`.
    ///
    /// # Errors
    ///
    /// Every mistake, with the line of the key.
    pub(crate) fn check(
        &self,
        check: impl Fn(&toml::Table) -> Result<(), toml::de::Error>,
    ) -> Result<(), Vec<ConfigError>> {
        self.read(|tree| check(&deserialize(tree)?).map_err(|error| mistake(&error)))
    }

    fn read<T>(
        &self,
        read: impl Fn(&Tree<'_>) -> Result<T, Mistake>,
    ) -> Result<T, Vec<ConfigError>> {
        let file = self.source.tree().map_err(|error| vec![error])?;
        let empty = || Spanned::new(0..0, DeValue::Table(toml::de::DeTable::new()));
        let mut tree = find(&file, &self.path).cloned().unwrap_or_else(empty);
        let mut errors = Vec::new();
        match read_all(&self.source, &self.path, &mut tree, &mut errors, read) {
            Some(value) if errors.is_empty() => Ok(value),
            _ => Err(errors),
        }
    }
}

/// Takes the path from the text of the error ("in `key.key`"), because toml gives it nowhere else.
fn mistake(error: &toml::de::Error) -> Mistake {
    let text = error.to_string();
    let path = text.rsplit_once("in `").and_then(|(_, rest)| rest.split('`').next());
    let keys = path.into_iter().flat_map(|path| path.split('.'));
    let path = keys.map(|key| Step::Key(key.to_owned())).collect();
    Mistake { path, message: error.message().to_owned() }
}

/// Compares the values. The places in the file do not count.
impl PartialEq for ModuleOptions {
    fn eq(&self, other: &Self) -> bool {
        self.table == other.table
    }
}

impl fmt::Debug for ModuleOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ModuleOptions").field("place", &self.place).finish_non_exhaustive()
    }
}
