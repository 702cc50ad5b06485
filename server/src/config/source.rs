//! The text of a config file, and the line of each key and value in it.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::error::{ConfigError, Place};

/// A config file in memory. It is kept as text, because parsed values borrow from the text.
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

/// A value of the file, with the spans of all values in it.
pub(super) type Tree<'a> = Spanned<DeValue<'a>>;

/// One step from a value to a value within it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Step {
    Key(String),
    Index(usize),
}

impl Source {
    pub(super) fn new(name: impl Into<Arc<str>>, text: impl Into<String>) -> Self {
        let text = text.into();
        let ends = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
        let lines = std::iter::once(0).chain(ends.map(|(at, _)| at + 1)).collect();
        Self { name: name.into(), text, lines }
    }

    /// Parses the whole file. The error does not have the parser's full text, because that quotes
    /// the line, which may contain a secret.
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
}

/// The value of `key`, if `tree` is a table that has it.
pub(super) fn get<'t, 'i>(tree: &'t Tree<'i>, key: &str) -> Option<&'t Tree<'i>> {
    tree.get_ref().as_table()?.get(key)
}

/// The value at `path`.
pub(super) fn find<'t, 'i>(tree: &'t Tree<'i>, path: &[Step]) -> Option<&'t Tree<'i>> {
    path.iter().try_fold(tree, |tree, step| match (step, tree.get_ref()) {
        (Step::Key(key), _) => get(tree, key),
        (Step::Index(index), DeValue::Array(items)) => items.get(*index),
        _ => None,
    })
}

/// The span of the key of the value at `path`; for an item of a list, the span of the item.
pub(super) fn key_span(tree: &Tree<'_>, path: &[Step]) -> Option<Range<usize>> {
    match path.split_last()? {
        (Step::Key(key), table) => {
            let table = find(tree, table)?.get_ref().as_table()?;
            table.get_key_value(key.as_str()).map(|(key, _)| key.span())
        }
        (Step::Index(_), _) => find(tree, path).map(Spanned::span),
    }
}

/// Changes the value at `path` with `change`; `None` if there is no such value.
pub(super) fn change<T>(
    tree: &mut Tree<'_>,
    path: &[Step],
    change: impl FnOnce(&mut DeValue<'_>) -> Option<T>,
) -> Option<T> {
    let value = path.iter().try_fold(tree, |tree, step| match (step, tree.get_mut()) {
        (Step::Key(key), DeValue::Table(table)) => table.get_mut(key.as_str()),
        (Step::Index(index), DeValue::Array(items)) => items.get_mut(*index),
        _ => None,
    })?;
    change(value.get_mut())
}

/// Whether a key's name says that its value must never be shown.
pub(super) fn is_secret(key: &str) -> bool {
    let key = key.to_lowercase();
    ["secret", "password", "passwd", "token", "credential"].iter().any(|word| key.contains(word))
}

/// Writes a path as `host."example.com".tls`, quoted where TOML requires quotes. Indices of lists
/// are left out.
pub(super) fn dotted(path: &[Step]) -> String {
    let bare = |key: &str| {
        !key.is_empty() && key.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b))
    };
    let parts: Vec<String> = path
        .iter()
        .filter_map(|step| match step {
            Step::Key(key) if bare(key) => Some(key.clone()),
            Step::Key(key) => Some(format!("\"{key}\"")),
            Step::Index(_) => None,
        })
        .collect();
    parts.join(".")
}

/// A path of keys only.
pub(super) fn keys(keys: &[&str]) -> Vec<Step> {
    keys.iter().map(|key| Step::Key((*key).to_owned())).collect()
}
