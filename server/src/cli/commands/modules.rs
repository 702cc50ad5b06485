//! `spondee modules`: the modules of this binary.

use std::{fmt::Write, sync::Arc};

use event_core::{Bundle, HostConfig, HostSettings, ModuleInfo, OptionInfo, Registry};
use serde::Serialize;

use super::{
    load::{load, runtime},
    unknown::{Unknown, known},
};
use crate::{
    cli::{ModulesQuery, output::say_page},
    docs::{codes, flat, lines, sized, split_default, summary},
    run::ServerError,
    storage::Memory,
};

const INTRO: &str = "\
# Modules

A host runs the default modules unless its `modules` say otherwise: see [config.md](config.md).
The options of a module are in a table of the host:

```toml
[host.\"example.com\".module.version]
hide_os = true
```

The events are those of [events.md](events.md). This page is made by
`spondee modules --markdown --crate spondee_modules`.
";

/// A module as the command shows it.
#[derive(Debug, Serialize)]
struct Shown {
    name: &'static str,
    /// Markdown.
    doc: String,
    /// The kinds of hosts that run the module by default.
    default_on: Vec<&'static str>,
    options: Vec<ShownOption>,
    /// The features that it announces in service discovery.
    features: &'static [&'static str],
    /// The events that it fires.
    fires: Vec<&'static str>,
    /// The events that its handlers wait for and other modules fire.
    needs: Vec<Need>,
    /// The modules whose handlers run before its own at equal priority.
    after: &'static [&'static str],
    /// What the module opens and offers when it starts with its default options.
    #[serde(flatten)]
    opened: Opened,
}

#[derive(Debug, Default, Serialize)]
struct Opened {
    /// The stores of its data.
    stores: Vec<&'static str>,
    /// The services that it offers to other modules.
    services: Vec<&'static str>,
}

#[derive(Debug, Serialize)]
struct ShownOption {
    name: &'static str,
    /// Markdown, as are the default and what it takes.
    doc: String,
    default: Option<String>,
    takes: String,
}

#[derive(Debug, Serialize)]
struct Need {
    event: &'static str,
    fired_by: Vec<&'static str>,
}

/// Why the modules cannot be shown.
#[derive(Debug, thiserror::Error)]
pub(super) enum ModulesError {
    #[error(transparent)]
    Server(#[from] ServerError),
    #[error(transparent)]
    Unknown(#[from] Unknown),
}

/// The crate of a module, as Rust paths spell it.
fn crate_of(info: &ModuleInfo) -> &'static str {
    info.module_path.split("::").next().unwrap_or_default()
}

pub(super) fn print(bundles: &[Bundle], query: &ModulesQuery) -> Result<(), ModulesError> {
    let registry = Registry::new(bundles).map_err(ServerError::from)?;
    // Cargo spells a crate with `-`.
    let of = query.crate_name.as_deref().map(|name| name.replace('-', "_"));
    known("the crate", of.as_deref(), &registry.modules().map(crate_of).collect::<Vec<_>>())?;
    let runtime = runtime()?;
    let mut all = Vec::new();
    for info in
        registry.modules().filter(|info| of.as_deref().is_none_or(|of| of == crate_of(info)))
    {
        let opened = runtime.block_on(opened(info.name, bundles)).unwrap_or_default();
        all.push(shown(info, &registry, opened));
    }
    say_page(query.page, || text(&all), || serde_json::json!(all), || markdown(&all));
    Ok(())
}

/// Starts a module alone, on storage in memory. A module with required options fails to
/// start, because it gets none.
async fn opened(module: &str, bundles: &[Bundle]) -> Result<Opened, ServerError> {
    let host = HostConfig {
        name: "localhost".into(),
        modules: vec![(module.into(), toml::Table::new())],
        settings: HostSettings::default(),
    };
    let storage = Arc::new(Memory::default());
    let loaded = load(Registry::new(bundles)?, vec![host], storage.clone()).await?;
    let services = loaded.core().host("localhost").map(|host| host.services_of_modules());
    let stores = storage.schemas().iter().map(|schema| schema.store).collect();
    Ok(Opened { stores, services: services.unwrap_or_default() })
}

fn shown(info: &ModuleInfo, registry: &Registry, opened: Opened) -> Shown {
    type Defaults = fn(&Bundle) -> &'static [&'static str];
    let kinds: [(&str, Defaults); 3] = [
        ("hosts", |bundle| bundle.defaults),
        ("components", |bundle| bundle.component_defaults),
        ("external components", |bundle| bundle.external_component_defaults),
    ];
    let is_default =
        |of: Defaults| registry.bundles().iter().any(|bundle| of(bundle).contains(&info.name));
    let needs = registry.needs(info.name).into_iter();
    Shown {
        name: info.name,
        doc: lines(info.doc),
        default_on: kinds.iter().filter(|(_, of)| is_default(*of)).map(|(kind, _)| *kind).collect(),
        options: info.options.iter().map(option).collect(),
        features: info.features,
        fires: info.fires.iter().map(|event| event.name).collect(),
        needs: needs.map(|(event, fired_by)| Need { event, fired_by }).collect(),
        after: info.after,
        opened,
    }
}

fn option(info: &OptionInfo) -> ShownOption {
    let written = |value: &str| match value.starts_with(|first: char| first.is_ascii_digit()) {
        true => format!("`{}`", value.replace('_', "")),
        false => format!("`{value}`"),
    };
    // A default that depends on other settings is told by the documentation alone.
    let (doc, default) = match info.default {
        Some(value) => (flat(info.doc), Some(written(value))),
        None => split_default(info.doc),
    };
    let default = default.or_else(|| (!info.is_required).then(|| "none".to_owned()));
    ShownOption { name: info.name, doc, default, takes: takes(info.kind) }
}

/// The values of a Rust type, in words.
fn takes(kind: &str) -> String {
    let inner = |name: &str| kind.strip_prefix(name)?.strip_prefix('<')?.strip_suffix('>');
    if let Some(kind) = inner("Option") {
        return takes(kind);
    }
    if let Some(kind) = inner("Vec") {
        return if kind == "String" { "a list of strings" } else { "a list" }.to_owned();
    }
    match kind {
        "bool" => "`true` or `false`".to_owned(),
        "String" | "Box<str>" | "Arc<str>" | "PathBuf" => "a string".to_owned(),
        "f32" | "f64" => "a number".to_owned(),
        _ if kind.trim_start_matches("NonZero").starts_with(['u', 'i', 'U', 'I'])
            && kind.ends_with(|last: char| last.is_ascii_digit() || last == 'e') =>
        {
            "a whole number".to_owned()
        }
        _ => "as described".to_owned(),
    }
}

fn text(all: &[Shown]) -> String {
    let mut text = String::new();
    let width = all.iter().map(|module| module.name.len()).max().unwrap_or(0);
    for Shown { name, doc, default_on, .. } in all {
        let state = if default_on.is_empty() { "" } else { "default" };
        let _ = writeln!(text, "{name:<width$}  {state:<7}  {}", summary(doc));
    }
    text
}

fn markdown(all: &[Shown]) -> String {
    let mut text = INTRO.to_owned();
    text.push_str("\n| Module | Runs by default on | What it does |\n|---|---|---|\n");
    for Shown { name, doc, default_on, .. } in all {
        let on = if default_on.is_empty() { "–".to_owned() } else { default_on.join(", ") };
        let _ = writeln!(text, "| [`{name}`](#{name}) | {on} | {} |", summary(doc));
    }
    for module in all {
        let _ = write!(text, "\n## {}\n\n{}\n", module.name, module.doc);
        if !module.options.is_empty() {
            text.push_str("\n| Option | Default | Takes | What it does |\n|---|---|---|---|\n");
            for ShownOption { name, doc, default, takes } in &module.options {
                let default = sized(name, default.as_deref().unwrap_or("required"));
                let _ = writeln!(text, "| `{name}` | {default} | {takes} | {} |", flat(doc));
            }
        }
        let facts = facts(module);
        if !facts.is_empty() {
            let _ = write!(text, "\n{facts}");
        }
    }
    text
}

/// The list of what a module announces, fires and needs.
fn facts(module: &Shown) -> String {
    let mut facts = String::new();
    let mut fact = |what: &str, list: String| {
        if !list.is_empty() {
            let _ = writeln!(facts, "- {what}: {list}");
        }
    };
    fact("Announces", codes(module.features.iter().copied()));
    fact("Fires", codes(module.fires.iter().copied()));
    let need = |Need { event, fired_by }: &Need| {
        let by: Vec<_> = fired_by.iter().map(|module| format!("`{module}`")).collect();
        match by.is_empty() {
            true => format!("`{event}`, which no module fires"),
            false => format!("`{event}` of {}", by.join(" or ")),
        }
    };
    fact("Waits for", module.needs.iter().map(need).collect::<Vec<_>>().join("; "));
    fact("Offers", codes(module.opened.services.iter().copied()));
    fact("Stores", codes(module.opened.stores.iter().copied()));
    fact("Runs after", codes(module.after.iter().copied()));
    facts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rust_types_become_words() {
        for (kind, words) in [
            ("bool", "`true` or `false`"),
            ("Option<u32>", "a whole number"),
            ("NonZeroUsize", "a whole number"),
            ("Vec<String>", "a list of strings"),
            ("Greeting", "as described"),
        ] {
            assert_eq!(takes(kind), words, "{kind}");
        }
    }
}
