//! The keys of the config, as `spondee config-keys` and docs/config.md list them: read from the
//! structs themselves, their `Default`, and the messages of the parser.

use std::path::Path;

use event_core::services::Mechanism;
use serde::Serialize;

use super::error::ConfigError;
use super::host::{ComponentConfig, HostSection, TlsFiles};
use super::limits::Limits;
use super::listen::Listen;
use super::log::Log;
use super::root::Config;
use super::s2s::S2s;
use super::table::{Field, Table};
use super::{InvalidConfig, Storage};
use crate::docs::{flat, split_default};

/// A table of the config.
#[derive(Debug, Serialize)]
pub(crate) struct Section {
    /// `[limits]`; empty for the keys before the first table.
    pub(crate) header: &'static str,
    /// What the table is for, as Markdown.
    pub(crate) doc: String,
    pub(crate) keys: Vec<Key>,
}

/// A key of a table.
#[derive(Debug, Serialize)]
pub(crate) struct Key {
    pub(crate) name: &'static str,
    /// The default, as Markdown. `None` for a key that the table must have.
    pub(crate) default: Option<String>,
    /// The values that the key takes, as Markdown.
    pub(crate) takes: String,
    /// What the key does, as Markdown.
    pub(crate) doc: String,
}

/// The tables of the config, in the order of the page.
pub(crate) fn sections() -> Vec<Section> {
    vec![
        section("", &Config::default()),
        section("[[listen]]", &Listen::default_of(super::ListenKind::C2s)),
        section_of::<TlsFiles>("[tls]", None),
        section("[host.\"example.com\"]", &HostSection::default()),
        section("[component.\"irc.example.com\"]", &ComponentConfig::default()),
        section("[s2s]", &S2s::default()),
        section("[storage]", &Storage::default()),
        section("[log]", &Log::default()),
        section("[limits]", &Limits::default()),
    ]
}

fn section<T: Table + Serialize>(header: &'static str, default: &T) -> Section {
    section_of::<T>(header, toml::Table::try_from(default).ok())
}

fn section_of<T: Table>(header: &'static str, defaults: Option<toml::Table>) -> Section {
    // Without `default` in its `#[serde]` a table must have each key.
    let defaults = defaults.filter(|_| T::SERDE.ends_with("default")).unwrap_or_default();
    let is_key = |field: &&Field| {
        // At the top of the file `tls` has its own section.
        let is_tls = header.is_empty() && field.name == "tls";
        field.serde != "skip" && !is_section(field.kind) && !is_tls
    };
    let keys = T::FIELDS.iter().filter(is_key);
    let key = |field: &Field| {
        let (doc, written) = split_default(field.doc);
        let value = || defaults.get(field.name).map(value);
        // Options of modules are not part of a config that is shown.
        let none = || (field.kind == "BTreeMap<String, ModuleOptions>").then(|| "none".to_owned());
        let default = written.or_else(value).or_else(none);
        Key { name: field.name, default, takes: takes(header, field), doc }
    };
    Section { header, doc: flat(T::ABOUT), keys: keys.map(key).collect() }
}

fn value(value: &toml::Value) -> String {
    match value {
        toml::Value::Array(items) if items.is_empty() => "none".to_owned(),
        toml::Value::Table(table) if table.is_empty() => "none".to_owned(),
        value => format!("`{value}`"),
    }
}

/// Whether the value of a key is a table with a section of its own.
fn is_section(kind: &str) -> bool {
    let sections =
        ["Vec<Listen>", "S2s", "Storage", "Log", "Limits", "BTreeMap<String, HostSection>"];
    sections.contains(&kind) || kind == "BTreeMap<String, ComponentConfig>"
}

/// The values that a key takes, in words. For a type that is not known here, Rust's name, which a
/// test refuses.
fn takes(header: &str, field: &Field) -> String {
    let text = match field.kind {
        "usize" | "u16" | "u32" | "u64" | "NonZeroUsize" => return number(header, field.name),
        "ListenKind" | "LogFormat" | "LogLevel" => return words(header, field.name),
        "Option<Vec<Mechanism>>" => {
            let names = Mechanism::ALL.map(|mechanism| format!("`\"{}\"`", mechanism.name()));
            return format!("a list of {}", names.join(", "));
        }
        "bool" => "`true` or `false`",
        "PathBuf" | "Option<PathBuf>" => "a path, relative to the file's folder",
        "Vec<PathBuf>" => "a list of paths, relative to the file's folder",
        "SocketAddr" | "Option<SocketAddr>" => "an IP address and port, `\"127.0.0.1:5222\"`",
        "Option<TlsFiles>" => "a table as `[tls]`",
        "Option<Secret>" => "a string",
        "Option<DatabaseUrl>" => "`\"postgres://user:password@host:port/database\"`",
        "Modules" => "a list of modules",
        "Vec<String>" => "a list of names, `[\"metrics.example.com\"]`",
        "Vec<BareJidText>" => "a list of accounts, `[\"alice@example.com\"]`",
        "BTreeMap<String, ModuleOptions>" => "a table for each module",
        "BTreeMap<String, String>" => "a table, `{ \"example.org\" = \"10.0.0.1:5269\" }`",
        "BTreeMap<String, Vec<Pin>>" => "a table, `{ \"example.org\" = [\"example.org.pem\"] }`",
        other => other,
    };
    text.to_owned()
}

/// A number with its unit, which is the end of the key's name, and the least that the parser takes.
fn number(header: &str, key: &str) -> String {
    let unit = match key {
        _ if key.ends_with("bytes_per_second") => "bytes per second",
        _ if key.ends_with("_per_second") => "per second",
        _ if key.ends_with("_bytes") => "bytes",
        _ if key.ends_with("_seconds") => "seconds",
        _ => "a number",
    };
    let complaint = complaint(header, key, "0");
    match complaint.rsplit_once("the least is ") {
        Some((_, least)) => format!("{unit}, at least {least}"),
        None => unit.to_owned(),
    }
}

/// The words that the parser takes.
fn words(header: &str, key: &str) -> String {
    let complaint = complaint(header, key, "\"?\"");
    let words = complaint.rsplit_once("expected one of ").map_or("", |(_, words)| words);
    words.split(", ").map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
}

/// What the parser says about a value of a key.
fn complaint(header: &str, key: &str, value: &str) -> String {
    match Config::parse(Path::new("?"), &format!("{header}\n{key} = {value}\n")) {
        Err(InvalidConfig { errors, .. }) => errors
            .into_iter()
            .find_map(|error| match error {
                ConfigError::Value { message, .. } => Some(message),
                _ => None,
            })
            .unwrap_or_default(),
        Ok(_) => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The keys that the parser knows in a table, as it lists them for an unknown one.
    fn known(header: &str) -> Vec<String> {
        let text = format!("{header}\nno_such_key = 1\n");
        let errors = Config::parse(Path::new("?"), &text).unwrap_err().errors;
        let keys = errors.into_iter().find_map(|error| match error {
            ConfigError::UnknownKey { known, .. } => Some(known.into_vec()),
            _ => None,
        });
        let mut keys = keys.unwrap();
        keys.sort();
        keys
    }

    #[test]
    fn every_key_that_the_parser_knows_is_listed_with_words_and_a_default() {
        let tables = ["component", "host", "limits", "listen", "log", "s2s", "storage", "tls"];
        for section in sections() {
            let Section { header, doc, keys } = section;
            let mut names: Vec<_> = keys.iter().map(|key| key.name.to_owned()).collect();
            if header.is_empty() {
                names.extend(tables.iter().map(|&name| name.to_owned()));
            }
            names.sort();
            assert_eq!(names, known(header), "{header}");
            assert!(!doc.is_empty(), "{header}");
            let is_required = |key: &Key| ["certificate", "key", "kind"].contains(&key.name);
            for key in &keys {
                let name = format!("{header} {}", key.name);
                assert!(!key.doc.is_empty() && key.doc.ends_with('.'), "{name}: {}", key.doc);
                assert_eq!(key.default.is_none(), is_required(key), "{name} has no default");
                let is_rust = key.takes.is_empty() || key.takes.contains(['<', ':']);
                let has_words = key.takes.contains(' ') || key.takes.contains('`');
                assert!(
                    has_words && (!is_rust || key.takes.contains('"')),
                    "{name}: {}",
                    key.takes
                );
            }
        }
    }

    #[test]
    fn least_values_and_words_are_those_of_the_parser() {
        let all = sections();
        let takes = |header: &str, name: &str| {
            let section = all.iter().find(|section| section.header == header).unwrap();
            section.keys.iter().find(|key| key.name == name).unwrap().takes.clone()
        };
        assert_eq!(takes("[limits]", "stanza_bytes"), "bytes, at least 10000");
        assert_eq!(takes("", "threads"), "a number, at least 1");
        // The name is like that of a secret, whose value no message repeats.
        assert_eq!(takes("[limits]", "password_checks"), "a number, at least 1");
        assert_eq!(takes("[log]", "format"), "`\"text\"`, `\"json\"`");
        assert!(takes("[[listen]]", "kind").ends_with("`\"component\"`, `\"http\"`"));
    }

    #[test]
    fn the_documentation_of_addresses_has_the_default_ports() {
        let address = Listen::FIELDS.iter().find(|field| field.name == "address").unwrap();
        use super::super::ListenKind::{C2s, C2sTls, Component, Http, S2s, S2sTls};
        for kind in [C2s, C2sTls, S2s, S2sTls, Component, Http] {
            let port = kind.default_address().port().to_string();
            assert!(address.doc.contains(&port), "{kind:?}");
        }
    }
}
