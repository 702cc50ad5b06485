//! The message about a name whose fixed part, all before `XMLNS:TAG` or `ID`, belongs to no event.

use alloc::{format, string::String, vec::Vec};

use crate::advice::{Advice, alternatives, owned};
use crate::{
    distance::{distance, nearest},
    name::{Name, has_scheme, read},
    suggest,
    table::EVENTS,
};

/// The destinations, in the order in which messages list them.
const DESTINATIONS: [&str; 4] = ["bare", "full", "host", "self"];

/// Explains why no event has this name.
pub(super) fn explain(name: &str) -> Advice {
    let suggestions = suggest::suggestions(name);
    let near = suggestions.first().is_some_and(|first| distance(name, first, 1).is_some());
    let unknown = || Advice::new(format!("unknown event `{name}`"));
    if near && !has_wrong_destination(name, &suggestions) {
        return unknown().suggest(suggestions);
    }
    let mut parts = name.splitn(3, '/');
    let kind = parts.next().unwrap_or_default();
    let (destination, rest) = (parts.next(), parts.next());
    if let Some(advice) = wrong_kind(name, kind) {
        return advice;
    }
    let expected = destinations(kind);
    if expected.is_empty() {
        let advice = unknown();
        if destination.is_some() || !suggestions.is_empty() || !is_word(name) {
            return advice.suggest(suggestions);
        }
        return advice.help(format!(
            "an event declared with `#[event(\"{name}\", …)]` is hooked by its type: `#[hook({})]`",
            camel_case(name)
        ));
    }
    let Some(destination) = destination else {
        let whole: Vec<_> = expected.iter().map(|part| format!("{kind}/{part}")).collect();
        return Advice::new(format!("`{name}` lacks a destination"))
            .help(format!("choose {}", alternatives(&whole)));
    };
    if !near && let Some((reason, instead)) = missing_product(kind, destination, rest) {
        let advice = Advice::new(format!("`{name}` does not exist: {reason}"));
        return advice.suggest(instead);
    }
    if destination.contains(':') || has_scheme(destination) {
        return without_destination(name, kind, &expected);
    }
    let near_parts = nearest(destination, expected.iter().copied());
    let end = rest.map(|rest| format!("/{rest}")).unwrap_or_default();
    let with_near_part = near_parts.iter().map(|part| format!("{kind}/{part}{end}"));
    let mut corrected: Vec<_> = with_near_part.filter(|whole| is_name(whole)).collect();
    if near || corrected.is_empty() && rest.is_some() {
        corrected = suggestions;
    }
    Advice::new(format!(
        "`{name}`: `{destination}` is not a destination; expected {}",
        alternatives(&expected)
    ))
    .suggest(corrected)
}

/// Whether `suggestions` are of the name's kind, so that the name's second part is a wrong destination.
fn has_wrong_destination(name: &str, suggestions: &[String]) -> bool {
    let kind = name.split('/').next().unwrap_or_default();
    let expected = destinations(kind);
    let Some(destination) = name.split('/').nth(1) else { return false };
    let of_another_kind = |first: &String| {
        let part = first.strip_prefix(kind).and_then(|rest| rest.split('/').nth(1));
        !part.is_some_and(|part| expected.contains(&part))
    };
    !expected.is_empty()
        && !destination.contains(':')
        && !expected.contains(&destination)
        && !suggestions.first().is_some_and(of_another_kind)
}

/// Whether `name` looks like a name that a module would declare: words joined by `-`.
fn is_word(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-'))
}

/// `room-joined` → `RoomJoined`.
fn camel_case(name: &str) -> String {
    let capitalized = |word: &str| {
        let (first, rest) = word.split_at_checked(1).unwrap_or_default();
        format!("{}{rest}", first.to_ascii_uppercase())
    };
    name.split('-').map(capitalized).collect()
}

/// Whether `name` is accepted, at least in a crate that declares its namespace and element.
fn is_name(name: &str) -> bool {
    read(name).is_ok()
}

/// The accepted ones of `names`; if some of them need no declaration, only those.
fn accepted(names: impl Iterator<Item = String>) -> Vec<String> {
    let names: Vec<_> = names.filter(|name| is_name(name)).collect();
    let is_known =
        |name: &String| read(name).is_ok_and(|Name { undeclared, .. }| undeclared.is_none());
    if names.iter().any(is_known) { names.into_iter().filter(is_known).collect() } else { names }
}

/// The destinations in names that begin with `kind`: `pre-message` has no `self`, `iq-get` no `full`.
fn destinations(kind: &str) -> Vec<&'static str> {
    let exists = |part: &&str| {
        EVENTS.iter().any(|event| {
            let mut parts = event.name.split('/');
            parts.next() == Some(kind) && parts.next() == Some(*part)
        })
    };
    DESTINATIONS.into_iter().filter(exists).collect()
}

/// Advice for a first part that resembles one of an event: `post-message`, `pre-iq-get`, `get`.
fn wrong_kind(name: &str, kind: &str) -> Option<Advice> {
    let rest = name.get(kind.len()..)?;
    if let Some(stanza) = kind.strip_prefix("post-")
        && !destinations(stanza).is_empty()
    {
        let instead = accepted([format!("{stanza}{rest}")].into_iter());
        let reason = "the events after routing have no prefix";
        return Some(Advice::new(format!("`{name}` does not exist: {reason}")).suggest(instead));
    }
    if kind.starts_with("pre-iq-") {
        let parts: Vec<_> = name.split('/').collect();
        let chosen = parts.get(1).filter(|part| destinations("pre-iq").contains(*part));
        let instead = match chosen {
            Some(part) => Vec::from([format!("pre-iq/{part}")]),
            None => destinations("pre-iq").into_iter().map(|p| format!("pre-iq/{p}")).collect(),
        };
        let reason = "pre-routing events are not divided by type or element";
        return Some(Advice::new(format!("`{name}` does not exist: {reason}")).suggest(instead));
    }
    if matches!(kind, "get" | "set" | "result" | "error") {
        let instead = accepted([format!("iq-{name}")].into_iter());
        if !instead.is_empty() {
            return Some(Advice::new(format!("unknown event `{name}`")).suggest(instead));
        }
    }
    None
}

fn without_destination(name: &str, kind: &str, expected: &[&str]) -> Advice {
    let rest = name.get(kind.len()..).unwrap_or_default();
    let whole = expected.iter().map(|part| format!("{kind}/{part}{rest}"));
    let mut instead = accepted(whole);
    instead.truncate(3);
    let advice = Advice::new(format!("`{name}` lacks a destination after `{kind}`"));
    if instead.is_empty() {
        return advice.help(format!("expected {}", alternatives(expected)));
    }
    advice.suggest(instead)
}

/// Says that no event combines the parts of the name, and which names to hook instead.
fn missing_product(
    kind: &str,
    destination: &str,
    rest: Option<&str>,
) -> Option<(&'static str, Vec<String>)> {
    let is_destination = DESTINATIONS.contains(&destination);
    match (kind.strip_prefix("pre-"), destination, rest) {
        (Some(stanza), "self", _) => Some((
            "self-addressed stanzas have no pre-routing event",
            Vec::from([format!("{stanza}/self"), format!("{kind}/bare")]),
        )),
        (Some(_), _, Some(_)) if is_destination => Some((
            "pre-routing events are not divided by element",
            Vec::from([format!("{kind}/{destination}")]),
        )),
        (None, "full", rest) if kind.starts_with("iq") => {
            let mut instead = owned(["iq/full"]);
            if let Some(rest) = rest {
                instead.extend(accepted(
                    ["bare", "host"].into_iter().map(|part| format!("{kind}/{part}/{rest}")),
                ));
            }
            Some(("an iq to a full address has one event, whatever its payload", instead))
        }
        (None, _, Some(rest)) if is_destination && matches!(kind, "message" | "presence") => {
            let whole = format!("{kind}/{destination}");
            if rest.contains(':') {
                return Some(("only iq stanzas have events by element", Vec::from([whole])));
            }
            Some(("no event has this last part", related(kind, &whole, rest)))
        }
        _ => None,
    }
}

/// At most three events: `kind/rest`, `whole`, and events that begin with `whole/`.
fn related(kind: &str, whole: &str, rest: &str) -> Vec<String> {
    let ends = |name: &&str| {
        name.strip_prefix(kind).is_some_and(|end| end.trim_start_matches('/') == rest)
    };
    let begins = |name: &&str| name.strip_prefix(whole).is_some_and(|end| end.starts_with('/'));
    let names = || EVENTS.iter().map(|event| event.name);
    let mut all: Vec<_> = names().filter(ends).collect();
    all.push(names().find(|name| *name == whole).unwrap_or_default());
    all.extend(names().filter(begins));
    all.truncate(3);
    owned(all.into_iter().filter(|name| !name.is_empty()))
}
