//! `spondee events`: what there is to hook.

use std::fmt::Write;

use event_core::{EventInfo, Family, Scope, declared_events, events};

use crate::cli::EventsFormat;

const INTRO: &str = "\
# Events

Every event that Spondee fires: those of its catalogue, and those that bundled modules declare. A
handler is a function annotated with the event's name; the family decides what it takes and
returns. This page is made by `spondee events --markdown`.
";

pub(super) fn print(format: EventsFormat) {
    let mut all = events::all();
    all.extend(declared_events());
    super::say(&match format {
        EventsFormat::Text => text(&all),
        EventsFormat::Json => json(&all),
        EventsFormat::Markdown => markdown(&all),
    });
}

fn scope(info: &EventInfo) -> &'static str {
    match info.scope {
        Scope::Host => "host",
        Scope::Global => "global",
    }
}

fn family(family: Family) -> String {
    format!("{family:?}").to_lowercase()
}

/// The first sentence of an event's documentation.
fn summary(info: &EventInfo) -> String {
    let doc = info.doc.split_whitespace().collect::<Vec<_>>().join(" ");
    let end = doc.find(". ").map_or(doc.len(), |at| at + 1);
    doc.get(..end).unwrap_or_default().to_owned()
}

fn text(all: &[&EventInfo]) -> String {
    let mut text = String::new();
    let width = all.iter().map(|info| info.name.len()).max().unwrap_or(0);
    for info in all {
        let (name, scope, family) = (info.name, scope(info), family(info.family));
        let _ = writeln!(text, "{name:<width$}  {scope:<6}  {family:<12}  {}", summary(info));
    }
    text
}

fn json(all: &[&EventInfo]) -> String {
    let list: Vec<_> = all
        .iter()
        .map(|info| {
            serde_json::json!({
                "name": info.name,
                "scope": scope(info),
                "family": family(info.family),
                "payload": info.payload,
                "doc": info.doc.trim(),
            })
        })
        .collect();
    format!("{:#}\n", serde_json::Value::Array(list))
}

fn markdown(all: &[&EventInfo]) -> String {
    let mut text = INTRO.to_owned();
    for info in all {
        let (scope, family) = (scope(info), family(info.family));
        let _ = write!(text, "\n### `{}`\n\n{scope} · {family} · `{}`\n", info.name, info.payload);
        let doc: Vec<_> =
            info.doc.lines().map(|line| line.strip_prefix(' ').unwrap_or(line)).collect();
        let _ = write!(text, "\n{}\n", doc.join("\n").trim());
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_event_has_its_place_in_each_form() {
        let all = events::all();
        let (text, json, markdown) = (text(&all), json(&all), markdown(&all));
        for info in &all {
            assert!(text.contains(info.name) && json.contains(info.name), "{}", info.name);
            assert!(markdown.contains(&format!("### `{}`", info.name)), "{}", info.name);
        }
        assert_eq!(text.lines().count(), all.len());
        let parsed: serde_json::Value = serde_json::from_str(&json).unwrap();
        assert_eq!(parsed.as_array().map(Vec::len), Some(all.len()));
    }
}
