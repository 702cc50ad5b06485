//! The message about a refused name.

use alloc::{borrow::ToOwned, format, string::String, vec::Vec};
use core::{error::Error, fmt};

use crate::{
    distance::{distance, nearest},
    grammar::{Malformed, split},
    name::{Fault, Namespace, read},
    namespaces::is_known,
    suggest,
    table::{EVENTS, EventDef, Parameter},
};

/// The refusal of a name; its `Display` is the complete compiler message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NameError {
    message: String,
    suggestions: Vec<String>,
}

impl NameError {
    /// At most three corrected names, likeliest first.
    #[must_use]
    pub fn suggestions(&self) -> &[String] {
        &self.suggestions
    }

    pub(crate) fn new(name: &str, namespace: Namespace, fault: Fault) -> Self {
        let mut suggestions = suggest::suggestions(name, namespace);
        let mut help = Vec::new();
        let mut message = match fault {
            Fault::Name => explain(name, &mut suggestions, &mut help),
            Fault::NoParameter(event) => without_parameter(name, event),
            Fault::Malformed(event, malformed) => malformed_payload(name, event, malformed),
            Fault::Namespace => format!("unknown namespace {} in `{name}`", namespace_of(name)),
            Fault::Version => {
                format!(
                    "namespace {} in `{name}` is known with another version",
                    namespace_of(name)
                )
            }
        };
        if help.is_empty() && !suggestions.is_empty() {
            help.push(format!("did you mean {}?", alternatives(&suggestions)));
        }
        if matches!(fault, Fault::Namespace | Fault::Version) {
            help.push("if the namespace is your own, say so: `namespace = \"own\"`".to_owned());
        }
        for line in help {
            message.push_str("\n  help: ");
            message.push_str(&line);
        }
        Self { message, suggestions }
    }
}

impl fmt::Display for NameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl Error for NameError {}

/// The destinations, in the order in which messages list them.
const DESTINATIONS: [&str; 4] = ["bare", "full", "host", "self"];

/// Explains why no event has this name; may replace the suggestions by better ones.
fn explain(name: &str, suggestions: &mut Vec<String>, help: &mut Vec<String>) -> String {
    let unknown = || format!("unknown event `{name}`");
    let near = suggestions.first().is_some_and(|first| distance(name, first, 1).is_some());
    let mut parts = name.splitn(3, '/');
    let kind = parts.next().unwrap_or_default();
    let (destination, rest) = (parts.next(), parts.next());
    let expected = destinations(kind);
    if expected.is_empty() {
        return unknown();
    }
    let Some(destination) = destination else {
        if !near {
            suggestions.clear();
        }
        let whole: Vec<_> = expected.iter().map(|part| format!("{kind}/{part}")).collect();
        return format!("`{name}` lacks a destination: expected {}", alternatives(&whole));
    };
    if !near && let Some((reason, instead)) = missing_product(kind, destination, rest) {
        *suggestions = instead;
        if !suggestions.is_empty() {
            help.push(alternatives(suggestions));
        }
        return format!("`{name}` does not exist: {reason}");
    }
    if destination.contains(':') {
        return unknown();
    }
    let elsewhere = |first: &String| {
        let part = first.strip_prefix(kind).and_then(|rest| rest.split('/').nth(1));
        !part.is_some_and(|part| expected.contains(&part))
    };
    if expected.contains(&destination) || near && suggestions.first().is_some_and(elsewhere) {
        return unknown();
    }
    if !near && (rest.is_none() || suggestions.is_empty()) {
        let end = rest.map(|rest| format!("/{rest}")).unwrap_or_default();
        *suggestions = nearest(destination, expected.iter().copied())
            .into_iter()
            .map(|part| format!("{kind}/{part}{end}"))
            .filter(|whole| is_name(whole))
            .collect();
    }
    format!("`{name}`: `{destination}` is not a destination; expected {}", alternatives(&expected))
}

/// Whether `name` is accepted when its namespace is the author's own.
fn is_name(name: &str) -> bool {
    read(name, Namespace::Own).is_ok()
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

/// Why a combination of valid parts is no event, and which names to hook instead.
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
            let mut instead = Vec::from(["iq/full".to_owned()]);
            if let Some(rest) = rest {
                let others = ["bare", "host"].map(|part| format!("{kind}/{part}/{rest}"));
                instead.extend(others.into_iter().filter(|name| is_name(name)));
            }
            Some(("an iq to a full address has one event, whatever its payload", instead))
        }
        (None, _, Some(_)) if is_destination && matches!(kind, "message" | "presence") => Some((
            "only iq stanzas have events by element",
            Vec::from([format!("{kind}/{destination}")]),
        )),
        _ => None,
    }
}

fn without_parameter(name: &str, event: &EventDef) -> String {
    match event.parameter {
        Parameter::Id => format!("missing the id in `{name}`: expected `{}`", event.name),
        _ => format!("missing the element in `{name}`: {}", expected(event)),
    }
}

fn malformed_payload(name: &str, event: &EventDef, malformed: Malformed) -> String {
    let payload = name.strip_prefix(event.head()).unwrap_or(name);
    let what = match malformed {
        Malformed::NoElement if is_known(payload) => {
            return format!("missing the element name in `{name}`: expected `{name}:TAG`");
        }
        Malformed::NoElement => format!("missing the element name in `{name}`"),
        Malformed::NoColon => format!("missing the colon before the element name in `{name}`"),
        Malformed::NoNamespace => format!("missing the namespace in `{name}`"),
        Malformed::Namespace('/') => format!("namespace in `{name}` begins with `/`"),
        Malformed::Namespace(odd) => format!("namespace in `{name}` contains {odd:?}"),
        Malformed::Element => {
            let element = payload.rsplit(':').next().unwrap_or(payload);
            format!("`{element}` in `{name}` is not the name of an element")
        }
    };
    format!("{what}: {}", expected(event))
}

fn expected(event: &EventDef) -> String {
    let example = match event.name {
        "stanza/iq/XMLNS:TAG" => "urn:ietf:params:xml:ns:xmpp-bind:bind",
        "stanza/XMLNS:TAG" => "urn:ietf:params:xml:ns:xmpp-sasl:auth",
        _ => "jabber:iq:version:query",
    };
    format!("expected `{}`, for example `{}{example}`", event.name, event.head())
}

/// The namespace of a well-formed name, in backticks.
fn namespace_of(name: &str) -> String {
    let payload = EVENTS
        .iter()
        .filter(|event| event.parameter == Parameter::Payload)
        .find_map(|event| name.strip_prefix(event.head()));
    let namespace = payload.and_then(|payload| split(payload).ok()).map(|(namespace, _)| namespace);
    namespace.map_or_else(String::new, |namespace| format!("`{namespace}`"))
}

/// `` `a`, `b` or `c` ``
fn alternatives<S: AsRef<str>>(words: &[S]) -> String {
    let mut text = String::new();
    for (index, word) in words.iter().enumerate() {
        if index > 0 {
            text.push_str(if index + 1 == words.len() { " or " } else { ", " });
        }
        text.push('`');
        text.push_str(word.as_ref());
        text.push('`');
    }
    text
}
