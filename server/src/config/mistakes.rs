//! Finds all mistakes of a table, although serde stops at the first.

use std::ops::Range;

use event_core::nearest;
use serde::de::DeserializeOwned;
use serde_path_to_error::Segment;
use toml::Spanned;
use toml::de::{DeValue, ValueDeserializer};

use super::error::ConfigError;
use super::source::{Source, Step, Tree, change, dotted, find, is_secret, key_span};
use super::words::{Complaint, complaint};

/// A mistake as serde reports it.
pub(super) struct Mistake {
    /// The path of the value within the table that is read.
    pub(super) path: Vec<Step>,
    pub(super) message: String,
}

/// Reads a value up to the first mistake.
pub(super) fn deserialize<T: DeserializeOwned>(tree: &Tree<'_>) -> Result<T, Mistake> {
    let deserializer = ValueDeserializer::from(tree.clone());
    serde_path_to_error::deserialize(deserializer).map_err(|error| {
        let step = |segment: &Segment| match segment {
            Segment::Map { key } => Some(Step::Key(key.clone())),
            Segment::Seq { index } => Some(Step::Index(*index)),
            Segment::Enum { .. } | Segment::Unknown => None,
        };
        let path = error.path().iter().filter_map(step).collect();
        Mistake { path, message: error.inner().message().to_owned() }
    })
}

/// Calls `read` until it succeeds. After each failure, the mistake is added to `errors` and removed
/// from `tree`. `base` is the path of `tree` in the file.
///
/// `None` if nothing can be read.
pub(super) fn read_all<T>(
    source: &Source,
    base: &[Step],
    tree: &mut Tree<'_>,
    errors: &mut Vec<ConfigError>,
    read: impl Fn(&Tree<'_>) -> Result<T, Mistake>,
) -> Option<T> {
    // The paths of removed values and of missing keys.
    let mut reported: Vec<Vec<Step>> = Vec::new();
    loop {
        let Mistake { mut path, message } = match read(tree) {
            Ok(value) => return Some(value),
            Err(mistake) => mistake,
        };
        let complaint = complaint(&message, is_secret_path(&[base, &path].concat()));
        match &complaint {
            Complaint::MissingKey { key } => path.push(Step::Key(key.clone())),
            // serde_path_to_error includes the key in the path; the error of a module does not.
            Complaint::UnknownKey { key, .. } if path.last() != Some(&Step::Key(key.clone())) => {
                path.push(Step::Key(key.clone()));
            }
            _ => {}
        }
        let is_missing =
            matches!(complaint, Complaint::MissingKey { .. }) && find(tree, &path).is_none();
        let is_new = !reported.contains(&path);
        if is_new {
            let error = error(source, base, tree, &path, complaint);
            // A misspelt key and the missing key that was meant are one mistake.
            if let (ConfigError::UnknownKey { suggestions, .. }, Some((_, table))) =
                (&error, path.split_last())
            {
                let meant = suggestions.iter().take(1).cloned().map(Step::Key);
                let meant = meant.map(|key| [table, &[key]].concat());
                reported.extend(meant.filter(|path| find(tree, path).is_none()));
            }
            errors.push(error);
        }
        if is_missing {
            // An empty string replaces the missing value, so that further missing keys are found.
            add(tree, &path)?;
            reported.push(path);
            continue;
        }
        if !is_new {
            // The table requires this key, but its value was wrong and is removed: remove the
            // table.
            path.pop();
        }
        remove(tree, &path)?;
        if let Some((Step::Index(_), list)) = path.split_last() {
            // The items that follow have new indices.
            reported.retain(|other| !other.starts_with(list));
            let items = find(tree, list).and_then(|list| list.get_ref().as_array());
            if items.is_none_or(|items| !items.is_empty()) {
                continue;
            }
            path.pop();
            remove(tree, &path)?;
        }
        reported.push(path);
    }
}

/// Whether a key on the path suggests a secret. Domain names are skipped.
fn is_secret_path(path: &[Step]) -> bool {
    let names = match path.first() {
        Some(Step::Key(key)) if key == "host" || key == "component" => 2,
        Some(Step::Key(key)) if key == "s2s" => 3,
        _ => 0,
    };
    path.iter().skip(names).any(|step| matches!(step, Step::Key(key) if is_secret(key)))
}

/// The error for a complaint about the value at `path`.
fn error(
    source: &Source,
    base: &[Step],
    tree: &Tree<'_>,
    path: &[Step],
    complaint: Complaint,
) -> ConfigError {
    let above = path.split_last().map_or(path, |(_, table)| table);
    let table = dotted(&[base, above].concat());
    let place = |span: Option<Range<usize>>| source.place(span.unwrap_or_else(|| tree.span()));
    if let Some(written) = unquoted(&[base, path].concat(), find(tree, path), &complaint) {
        let (key, place) = (written.clone(), place(key_span(tree, path)));
        let quoted = match written.split_once('.') {
            Some(("s2s", rest)) => {
                let (_, domain) = rest.split_once('.').unwrap_or_default();
                format!("\"{domain}\" = …")
            }
            Some((table, rest)) => format!("[{table}.\"{rest}\"]"),
            None => format!("\"{written}\""),
        };
        let message = format!("a domain needs quotes, as its dots would make tables: {quoted}");
        return ConfigError::Value { place, key, message };
    }
    match complaint {
        Complaint::UnknownKey { key, known } => ConfigError::UnknownKey {
            place: place(key_span(tree, path)),
            suggestions: nearest(&key, known.iter().map(String::as_str))
                .into_iter()
                .map(str::to_owned)
                .collect(),
            table,
            known: known.into(),
            key,
        },
        Complaint::MissingKey { key } => ConfigError::MissingKey {
            place: place(find(tree, above).map(Spanned::span)),
            key,
            table,
        },
        Complaint::Value { message } => {
            let value = find(tree, path).filter(|value| value.get_ref().as_table().is_none());
            let span = value.map(Spanned::span).or_else(|| key_span(tree, path));
            ConfigError::Value { place: place(span), key: dotted(&[base, path].concat()), message }
        }
    }
}

/// The full key of a domain that was written without quotes: `host.example.com`. Where the domain
/// ends is a guess: at the first key that a host can have, or where there are several keys.
fn unquoted(path: &[Step], value: Option<&Tree<'_>>, complaint: &Complaint) -> Option<String> {
    let known = match (path, complaint) {
        ([Step::Key(table), Step::Key(_), Step::Key(_)], Complaint::UnknownKey { key, known })
            if ["host", "component"].contains(&table.as_str())
                && nearest(key, known.iter().map(String::as_str)).is_empty() =>
        {
            &known[..]
        }
        ([Step::Key(s2s), Step::Key(table), Step::Key(_)], Complaint::Value { .. })
            if s2s == "s2s" && ["routes", "pins"].contains(&table.as_str()) =>
        {
            &[]
        }
        _ => return None,
    };
    let mut written = dotted(path);
    let mut rest = value?.get_ref().as_table()?;
    while let [(key, value)] = rest.iter().collect::<Vec<_>>()[..] {
        let key = key.get_ref();
        let inner = value.get_ref().as_table();
        // The value of a route is a string, that of pins a list, and that of a host a table.
        if known.iter().any(|known| known == key) || (inner.is_none() && !known.is_empty()) {
            break;
        }
        written = format!("{written}.{key}");
        match inner {
            Some(inner) => rest = inner,
            None => break,
        }
    }
    Some(written)
}

fn add(tree: &mut Tree<'_>, path: &[Step]) -> Option<()> {
    let (Step::Key(key), table) = path.split_last()? else {
        return None;
    };
    change(tree, table, |value| {
        let DeValue::Table(table) = value else {
            return None;
        };
        let empty = Spanned::new(0..0, DeValue::String("".into()));
        table.insert(Spanned::new(0..0, key.clone().into()), empty);
        Some(())
    })
}

fn remove(tree: &mut Tree<'_>, path: &[Step]) -> Option<()> {
    let (last, above) = path.split_last()?;
    change(tree, above, |value| match (last, value) {
        (Step::Key(key), DeValue::Table(table)) => table.remove(key.as_str()).map(drop),
        (Step::Index(index), DeValue::Array(items)) if *index < items.len() => {
            let others = items.iter().enumerate().filter(|(at, _)| at != index);
            *items = others.map(|(_, item)| item.clone()).collect();
            Some(())
        }
        _ => None,
    })
}
