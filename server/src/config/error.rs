//! Errors of a config file, for the person who wrote it.
//!
//! No message repeats a value that could be a secret, because config errors are logged.

use std::fmt;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use thiserror::Error;

/// A line in a config file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Place {
    /// The file, as named on the command line.
    pub file: Arc<str>,
    /// The line, counted from 1.
    pub line: usize,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file, self.line)
    }
}

/// Why a config cannot be used.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("cannot read the config file {}: {source}", file.display())]
    Read {
        /// The file asked for.
        file: PathBuf,
        /// The I/O error.
        source: io::Error,
    },
    /// The file is not TOML.
    #[error("{place}: not valid TOML: {message}")]
    Syntax {
        /// Where the parser stopped.
        place: Place,
        /// What the parser expected.
        message: String,
    },
    /// A key that the table does not have.
    #[error("{place}: unknown key \"{key}\"{}{}", in_table(table), hint(key, suggestions, known))]
    UnknownKey {
        /// Where the key stands.
        place: Place,
        /// The key as written.
        key: String,
        /// The table the key stands in; empty at the top of the file.
        table: String,
        /// The valid keys closest to the key, nearest first.
        suggestions: Box<[String]>,
        /// Every valid key of the table.
        known: Box<[String]>,
    },
    /// A required key is missing.
    #[error("{place}: the key \"{key}\" is missing{}", in_table(table))]
    MissingKey {
        /// Where the table starts.
        place: Place,
        /// The missing key.
        key: String,
        /// The table that lacks the key.
        table: String,
    },
    /// A value of the wrong type, or not a valid one.
    #[error("{place}: {key}: {message}")]
    Value {
        /// Where the value stands.
        place: Place,
        /// The full key, including tables.
        key: String,
        /// The value expected, and the value found unless it could be a secret.
        message: String,
    },
}

impl ConfigError {
    /// The line in the file; `None` if the file cannot be read.
    pub fn place(&self) -> Option<&Place> {
        match self {
            Self::Read { .. } => None,
            Self::Syntax { place, .. }
            | Self::UnknownKey { place, .. }
            | Self::MissingKey { place, .. }
            | Self::Value { place, .. } => Some(place),
        }
    }
}

/// Sorts errors by line.
pub(crate) fn in_order(errors: &mut [ConfigError]) {
    errors.sort_by_key(|error| error.place().map(|place| place.line));
}

fn in_table(table: &str) -> String {
    if table.is_empty() { String::new() } else { format!(" in [{table}]") }
}

fn hint(key: &str, suggestions: &[String], known: &[String]) -> String {
    if !suggestions.is_empty() && suggestions.iter().all(|name| name != key) {
        format!("; did you mean {}?", quoted(suggestions, "or"))
    } else if known.is_empty() {
        "; this table has no keys".to_owned()
    } else {
        format!("; valid here: {}", known.join(", "))
    }
}

/// `"a", "b" or "c"`.
fn quoted(names: &[String], joiner: &str) -> String {
    let quoted: Vec<String> = names.iter().map(|name| format!("\"{name}\"")).collect();
    match quoted.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, rest)) => format!("{} {joiner} {last}", rest.join(", ")),
        None => String::new(),
    }
}
