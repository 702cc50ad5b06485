//! The text of a config file, and the way from a byte in it to a line and a key.
//!
//! TOML's own errors show the line they complain about, which may hold a secret. Here they become
//! [`ConfigError`]s that name file, line and key only.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use serde::de::DeserializeOwned;
use toml::Spanned;
use toml::de::{DeTable, DeValue, ValueDeserializer};

use super::error::{ConfigError, Place, nearest};

/// A config file in memory. Kept as text, because only the text has a place for every value.
pub(super) struct Source {
    name: Arc<str>,
    text: String,
    /// The offset at which each line starts.
    lines: Vec<usize>,
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Source").field("name", &self.name).finish_non_exhaustive()
    }
}

/// A value of the file with the spans of everything in it.
pub(super) type Tree<'a> = Spanned<DeValue<'a>>;

impl Source {
    pub(super) fn new(name: impl Into<Arc<str>>, text: impl Into<String>) -> Self {
        let text = text.into();
        let ends = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
        let lines = std::iter::once(0).chain(ends.map(|(at, _)| at + 1)).collect();
        Self { name: name.into(), text, lines }
    }

    /// The whole file.
    pub(super) fn tree(&self) -> Result<Tree<'_>, ConfigError> {
        let table = DeTable::parse(&self.text).map_err(|error| ConfigError::Syntax {
            place: self.place(error.span().unwrap_or(0..0)),
            message: error.message().trim().replace('\n', ", "),
        })?;
        Ok(Spanned::new(table.span(), DeValue::Table(table.into_inner())))
    }

    /// The place where `span` begins.
    pub(super) fn place(&self, span: Range<usize>) -> Place {
        let line = self.lines.partition_point(|start| *start <= span.start);
        Place { file: self.name.clone(), line }
    }

    /// The place of the value at `path`, or of the last table on the way that exists.
    pub(super) fn place_of(&self, path: &[String]) -> Place {
        self.place(self.tree().map_or(0..0, |tree| descend(&tree, path).span()))
    }

    /// Deserialises one table; `path` is where it stands in the file.
    pub(super) fn read<T: DeserializeOwned>(
        &self,
        tree: &Tree<'_>,
        path: &[String],
    ) -> Result<T, ConfigError> {
        T::deserialize(ValueDeserializer::from(tree.clone()))
            .map_err(|error| self.explain(&error, tree, path))
    }

    fn explain(&self, error: &toml::de::Error, tree: &Tree<'_>, path: &[String]) -> ConfigError {
        let span = error.span().unwrap_or_else(|| tree.span());
        let place = self.place(span.clone());
        let mut keys = path.to_vec();
        walk(tree.get_ref(), &span, &mut keys);
        let message = error.message();
        let mut named = message.split('`').skip(1).step_by(2).map(str::to_owned);
        if message.starts_with("unknown field `") {
            let key = named.next().unwrap_or_default();
            let known: Box<[String]> = named.collect();
            keys.pop_if(|last| *last == key);
            return ConfigError::UnknownKey {
                suggestions: nearest(&key, known.iter().map(String::as_str)).into(),
                table: dotted(&keys),
                place,
                key,
                known,
            };
        }
        if message.starts_with("missing field `") {
            let key = named.next().unwrap_or_default();
            return ConfigError::MissingKey { place, key, table: dotted(&keys) };
        }
        let secret = keys.iter().any(|key| is_secret(key));
        ConfigError::Value { place, key: dotted(&keys), message: plain_words(message, secret) }
    }
}

/// The value at `path`, or as far as the path leads.
pub(super) fn descend<'t, 'i>(tree: &'t Tree<'i>, path: &[String]) -> &'t Tree<'i> {
    path.iter().fold(tree, |tree, key| match tree.get_ref() {
        DeValue::Table(table) => table.get(key.as_str()).unwrap_or(tree),
        _ => tree,
    })
}

/// Whether a key's name says that its value must never be shown.
pub(super) fn is_secret(key: &str) -> bool {
    let key = key.to_lowercase();
    ["secret", "password", "passwd", "token", "credential"].iter().any(|word| key.contains(word))
}

/// `host."example.com".tls`, quoted where TOML wants quotes.
pub(super) fn dotted(keys: &[String]) -> String {
    let bare = |key: &&String| {
        !key.is_empty() && key.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b))
    };
    let parts: Vec<String> = keys
        .iter()
        .map(|key| if bare(&key) { key.clone() } else { format!("\"{key}\"") })
        .collect();
    parts.join(".")
}

/// Appends the keys that lead to `span`.
fn walk(value: &DeValue<'_>, span: &Range<usize>, keys: &mut Vec<String>) {
    // Tables written in pieces (`[a]`, `[a.b]`) have spans that do not enclose their children, so
    // the search looks at every branch; config files are small.
    fn find(value: &DeValue<'_>, span: &Range<usize>, keys: &mut Vec<String>) -> bool {
        match value {
            DeValue::Table(table) => table.iter().any(|(key, value)| {
                keys.push(key.get_ref().to_string());
                let here = key.span() == *span || value.span() == *span;
                // The children first: the innermost match is the most telling one.
                let found = find(value.get_ref(), span, keys) || here;
                if !found {
                    keys.pop();
                }
                found
            }),
            DeValue::Array(array) => {
                array.iter().any(|item| find(item.get_ref(), span, keys) || item.span() == *span)
            }
            _ => false,
        }
    }
    find(value, span, keys);
}

/// Rewrites serde's words about Rust types into words about the file.
pub(super) fn plain_words(message: &str, secret: bool) -> String {
    let Some((found, expected)) = message.rsplit_once(", expected ") else {
        return if secret { "not a valid value".to_owned() } else { message.to_owned() };
    };
    let expected = match expected {
        "u8" | "u16" | "u32" | "u64" | "usize" => "a whole number, not negative",
        "i8" | "i16" | "i32" | "i64" | "isize" => "a whole number",
        "f32" | "f64" => "a number",
        "a boolean" | "bool" => "true or false",
        "a sequence" => "a list",
        "a map" => "a table",
        "path string" => "a path, in quotes",
        "a string" => "a text, in quotes",
        other if other.starts_with("struct ") => "a table",
        other => other,
    };
    let found = found
        .trim_start_matches("invalid type: ")
        .trim_start_matches("invalid value: ")
        .replace("sequence", "a list")
        .replace("map", "a table");
    if secret {
        format!("expected {expected}")
    } else if let Some(unknown) = found.strip_prefix("unknown variant ") {
        format!("unknown value {}, expected {expected}", unknown.replace('`', "\""))
            .replace('`', "\"")
    } else {
        format!("expected {expected}, found {}", found.replace('`', ""))
    }
}
