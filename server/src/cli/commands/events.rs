//! `spondee events`: the catalogue of events.

use std::fmt::Write;

use event_core::{EventInfo, Family, Scope, declared_events, events};

use crate::{
    cli::{PageOptions, output::say_page},
    docs::{flat, lines, summary},
};

const INTRO: &str = "\
# Events

This page, the output of `spondee events --markdown`, lists all events that Spondee fires: the events
of its catalogue and the events that bundled modules declare. A handler is a function annotated with
the event's name.

The family decides what a handler takes and returns, and what stops the event:

| Family | Argument | Result | What stops the event, and what happens otherwise |
|---|---|---|---|
| notification | `&P` | nothing | Nothing: the event reports what has happened. |
| collect | `&mut P` | nothing | Nothing. The caller uses what handlers put into the payload. |
| veto | `&mut P` | `Flow` | `Handled` prevents what the event announces; otherwise it happens. |
| chain | `&mut P` | `Flow`, or a `Result` of it | `Handled`, or an error, which is sent to the sender. |
| pre | `&mut P` | `Flow`, or a `Result` of it | `Handled` blocks the stanza; an error is sent to its sender. Otherwise the stanza is routed. |
| post | `&mut P`, at priority 0 `&P` | `Flow`, or a `Result` of it; nothing at priority 0 | `Handled` consumes the stanza; an error is sent to its sender. Otherwise messages and iq requests are answered with `service-unavailable`, and other stanzas are dropped. |
| iqpayload | `&mut Iq` | `Reply`, `Flow`, or a `Result` of one | A `Reply` or an error answers the iq. Otherwise the answer is `service-unavailable`. |
| iqid | `&Iq` | `Flow` | `Handled` consumes the answer; otherwise the answer is dropped. |
| routeremote | `&mut Stanza` | `Flow`, or a `Result` of it | `Handled` takes the stanza over. Otherwise its sender gets `remote-server-not-found`. |
| streamiq | `&mut Iq` | `Reply`, `Flow`, or a `Result` of one | A `Reply` or an error answers the iq; `Handled` consumes it. Otherwise the stream is closed. |
| streamstanza | `&mut P` | `Flow`, or a `Result` of it | `Handled` consumes the stanza; otherwise the stream is closed. |
| nonza | `&mut Nonza` | `Flow`, or a `Result` of it with a `StreamError` | `Handled` consumes the element; a `StreamError` closes the stream. Otherwise the stream is closed with `unsupported-stanza-type`. |

Handlers run by priority, the highest first. The default priority is 0. `Message`, `Presence`, `Iq`
and `Stanza` give the stanza itself, its `origin()`, `to()`, `from()` and `id()`, and build answers
with `reply()` and `error_reply()`. `Nonza` has the `session` and the `element`.
";

pub(super) fn print(options: PageOptions) {
    let mut all = events::all();
    all.extend(declared_events());
    say_page(options, || text(&all), || json(&all), || markdown(&all));
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

fn text(all: &[&EventInfo]) -> String {
    let mut text = String::new();
    let width = all.iter().map(|info| info.name.len()).max().unwrap_or(0);
    for info in all {
        let (name, scope, family) = (info.name, scope(info), family(info.family));
        let _ = writeln!(text, "{name:<width$}  {scope:<6}  {family:<12}  {}", summary(info.doc));
    }
    text
}

fn json(all: &[&EventInfo]) -> serde_json::Value {
    let list: Vec<_> = all
        .iter()
        .map(|info| {
            serde_json::json!({
                "name": info.name,
                "scope": scope(info),
                "family": family(info.family),
                "payload": info.payload,
                "doc": info.doc.trim(),
                "fields": info.fields.iter().map(|field| serde_json::json!({
                    "name": field.name,
                    "type": field.type_,
                    "doc": flat(field.doc),
                })).collect::<Vec<_>>(),
            })
        })
        .collect();
    list.into()
}

fn markdown(all: &[&EventInfo]) -> String {
    let mut text = INTRO.to_owned();
    for info in all {
        let (scope, family) = (scope(info), family(info.family));
        let _ = write!(text, "\n### `{}`\n\n{scope} · {family} · `{}`\n", info.name, info.payload);
        let _ = write!(text, "\n{}\n", lines(info.doc));
        for (index, field) in info.fields.iter().enumerate() {
            let space = if index == 0 { "\n" } else { "" };
            let (name, written) = (field.name, flat(field.type_));
            let _ = writeln!(text, "{space}- `{name}: {written}`: {}", flat(field.doc));
        }
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
            assert!(
                text.contains(info.name) && json.to_string().contains(info.name),
                "{}",
                info.name
            );
            assert!(markdown.contains(&format!("### `{}`", info.name)), "{}", info.name);
        }
        assert_eq!(text.lines().count(), all.len());
        assert_eq!(json.as_array().map(Vec::len), Some(all.len()));
    }
}
