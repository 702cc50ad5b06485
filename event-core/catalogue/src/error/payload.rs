//! What is wrong with the namespace or the element of a name.

use alloc::{borrow::ToOwned, format, string::String, vec::Vec};
use core::iter;

use crate::advice::{Advice, alternatives, owned};
use crate::{
    distance::{distance, nearest},
    grammar::{self, Malformed},
    name::{Name, NameParameter, open_head, read},
    namespaces::{Element, Fit, elements, is_known, namespaces, other_versions},
    suggest,
    table::{EVENTS, EventDef, Family, Parameter},
};

/// The largest number of elements that a message lists.
const FEW: usize = 8;

pub(super) fn expected(event: &EventDef) -> String {
    let example = match event.name {
        "stanza/iq/XMLNS:TAG" => "urn:ietf:params:xml:ns:xmpp-bind:bind",
        "stanza/XMLNS:TAG" => "urn:ietf:params:xml:ns:xmpp-sasl:auth",
        _ => "jabber:iq:version:query",
    };
    format!("expected `{}`, for example `{}{example}`", event.name, event.head())
}

/// An element where the id of an iq belongs.
pub(super) fn as_id(name: &str, event: &EventDef) -> Advice {
    Advice::new(format!(
        "`{name}` names an element: answers are hooked by the id of the iq, `{}`",
        event.name
    ))
}

pub(super) fn malformed(name: &str, event: &EventDef, malformed: Malformed) -> Advice {
    let payload = name.strip_prefix(event.head()).unwrap_or(name);
    let suggestions = suggest::suggestions(name);
    let advice = match malformed {
        Malformed::NoElement if is_known(payload) => {
            return without_element(name, event, payload);
        }
        Malformed::NoNamespace => return without_namespace(name, event, payload),
        Malformed::Swapped => Advice::new(format!("namespace and element are swapped in `{name}`")),
        Malformed::Namespace(odd @ ('$' | '{' | '}')) => {
            let what = format!("namespace in `{name}` contains `{odd}`");
            let help = "nothing is replaced inside of a name: write the namespace itself";
            // In the namespace, the character begins a variable; before it, it is a slip.
            let is_likely = |name: &String| {
                read(name).is_ok_and(|read| read.undeclared.is_none() || read.event != event)
            };
            let likely = suggestions.into_iter().filter(is_likely).collect();
            return Advice::new(what).suggest(likely).help(help.to_owned());
        }
        Malformed::Prefix(prefix) => {
            Advice::new(format!("`{prefix}` in `{name}` is not part of the namespace"))
        }
        Malformed::NoElement => incomplete("the element name", name, event),
        Malformed::NoColon => incomplete("the colon before the element name", name, event),
        Malformed::Namespace('/') => {
            Advice::new(format!("namespace in `{name}` begins with `/`: {}", expected(event)))
        }
        Malformed::Namespace(odd) => {
            Advice::new(format!("namespace in `{name}` contains {odd:?}: {}", expected(event)))
        }
        Malformed::Element => {
            let element = payload.rsplit(':').next().unwrap_or(payload);
            Advice::new(format!(
                "`{element}` in `{name}` is not the name of an element: {}",
                expected(event)
            ))
        }
    };
    advice.suggest(suggestions)
}

fn incomplete(what: &str, name: &str, event: &EventDef) -> Advice {
    Advice::new(format!("missing {what} in `{name}`: {}", expected(event)))
}

/// The name ends with a known namespace.
fn without_element(name: &str, event: &EventDef, namespace: &str) -> Advice {
    let firing: Vec<_> = firing(event, namespace).collect();
    let advice =
        Advice::new(format!("missing the element name in `{name}`: expected `{name}:TAG`"));
    match &*firing {
        [] => advice,
        [_, ..] if firing.len() <= 3 => {
            advice.suggest(firing.iter().map(|element| format!("{name}:{element}")).collect())
        }
        _ => advice.help(carried(event, &firing)),
    }
}

/// The open part is one word: an element without its namespace.
fn without_namespace(name: &str, event: &EventDef, element: &str) -> Advice {
    let head = event.head();
    let whole: Vec<_> = namespaces()
        .filter(|namespace| firing(event, namespace).any(|known| known == element))
        .map(|namespace| format!("{head}{namespace}:{element}"))
        .collect();
    let suggestions = suggest::suggestions(name);
    let advice = incomplete("the namespace", name, event);
    match whole.len() {
        1..=3 => advice.suggest(whole),
        _ => advice.suggest(suggestions),
    }
}

/// The elements of `namespace` for which `event` fires.
fn firing(event: &EventDef, namespace: &str) -> impl Iterator<Item = &'static str> {
    elements(namespace)
        .filter(|element| element.fit(event) == Fit::Fires)
        .map(|element| element.name)
}

/// Lists the elements for which `event` fires.
fn carried(event: &EventDef, elements: &[&str]) -> String {
    let carrier = match event.family {
        Family::Nonza => "a stream",
        _ if event.name.starts_with("iq-get") => "an iq of type `get`",
        _ if event.name.starts_with("iq-set") => "an iq of type `set`",
        _ => "an iq",
    };
    if elements.is_empty() {
        return format!("{carrier} carries no element of this namespace");
    }
    let some = elements.get(..FEW).unwrap_or(elements);
    let more = if some.len() < elements.len() { " among others" } else { "" };
    format!("of this namespace, {carrier} carries {}{more}", alternatives(some))
}

fn parts<'a>(read: &Name<'a>) -> (&'a str, &'a str) {
    match read.parameter {
        NameParameter::Payload { namespace, element } => (namespace, element),
        _ => ("", ""),
    }
}

pub(super) fn unknown_element(name: &str, read: &Name<'_>) -> Advice {
    let (namespace, element) = parts(read);
    let suggestions = suggest::suggestions(name);
    let known: Vec<_> = firing(read.event, namespace).collect();
    let advice = Advice::new(format!("unknown element `{element}` in `{name}`"));
    let advice = if suggestions.is_empty() {
        advice.help(carried(read.event, &known))
    } else {
        advice.suggest(suggestions)
    };
    advice.declare("element", "elements", &format!("{namespace}:{element}"))
}

pub(super) fn unknown_namespace(name: &str, read: &Name<'_>) -> Advice {
    let (namespace, _) = parts(read);
    let what = if other_versions(namespace).next().is_some() {
        format!("namespace `{namespace}` in `{name}` is known with another version")
    } else {
        format!("unknown namespace `{namespace}` in `{name}`")
    };
    Advice::new(what).suggest(suggest::suggestions(name)).declare(
        "namespace",
        "namespaces",
        namespace,
    )
}

pub(super) fn misspelt_namespace(name: &str) -> Advice {
    Advice::new(format!("unknown namespace {} in `{name}`", namespace_of(name)))
        .suggest(suggest::suggestions(name))
}

pub(super) fn feature(name: &str) -> Advice {
    Advice::new(format!("{} in `{name}` is a feature: it has no elements", namespace_of(name)))
        .suggest(suggest::suggestions(name))
}

/// The message about a known element where the event does not look for it.
pub(super) fn elsewhere(name: &str, read: &Name<'_>, element: Element) -> Advice {
    let (event, (namespace, tag)) = (read.event, parts(read));
    let places: Vec<_> = element.places().collect();
    let others = || EVENTS.iter().filter(|event| event.parameter == Parameter::Payload);
    let mut fires: Vec<_> = others()
        .filter(|event| element.fit(event) == Fit::Fires)
        .map(|event| format!("{}{namespace}:{tag}", event.head()))
        .collect();
    let what = match &*places {
        [] => "is a child of another element; no event has its name".to_owned(),
        ["stream"] => "is an element of the stream".to_owned(),
        _ if fires.is_empty() => {
            format!(
                "is a child of a {}; only iq stanzas have events by element",
                places.join(" or ")
            )
        }
        _ => "is a child of an iq".to_owned(),
    };
    let advice = Advice::new(format!("in `{name}`, `{tag}` {what}"));
    if fires.is_empty() && !places.is_empty() {
        let whole = places.iter().map(|kind| format!("{kind}/bare"));
        return advice.suggest(whole.collect());
    }
    if fires.is_empty() {
        let known: Vec<_> = firing(event, namespace).collect();
        let near = nearest(tag, known.iter().copied());
        if near.is_empty() {
            return advice.help(carried(event, &known));
        }
        let head = event.head();
        return advice
            .suggest(near.iter().map(|near| format!("{head}{namespace}:{near}")).collect());
    }
    // Of the iq events, those to a host and to an account are the usual ones.
    fires.retain(|name| !name.contains("/self/") && !name.starts_with("iq/"));
    fires.truncate(3);
    advice.suggest(fires)
}

/// The message about a known element in an iq of a type for which no specification has it.
pub(super) fn other_type(name: &str, read: &Name<'_>, seen: &str) -> Advice {
    let (namespace, element) = parts(read);
    let head = read.event.head();
    let (this, right) = match seen {
        "get" => ("set", head.replacen("iq-set", "iq-get", 1)),
        _ => ("get", head.replacen("iq-get", "iq-set", 1)),
    };
    let right = format!("{right}{namespace}:{element}");
    // Another version of the namespace may have the element in an iq of this type.
    let fires =
        |other: &String| crate::name::read(other).is_ok_and(|read| read.undeclared.is_none());
    let near = |other: &String| distance(name, other, 1).is_some() && fires(other);
    let others =
        suggest::suggestions(name).into_iter().filter(|other| *other != right && near(other));
    let suggestions = iter::once(right.clone()).chain(others).take(3).collect();
    Advice::new(format!(
        "in `{name}`, `{element}` is in no known iq of type `{this}`, only `{seen}`"
    ))
    .suggest(suggestions)
    .help("to hook it all the same, say why: `insist = \"…\"`".to_owned())
}

/// The namespace of a well-formed name, in backticks.
fn namespace_of(name: &str) -> String {
    let payload = EVENTS
        .iter()
        .filter(|event| event.parameter == Parameter::Payload)
        .find_map(|event| name.strip_prefix(open_head(event)?));
    let namespace =
        payload.and_then(|payload| grammar::split(payload).ok()).map(|(namespace, _)| namespace);
    alternatives(&owned(namespace))
}
