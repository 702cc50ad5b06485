//! What a refused name may have been meant to be.

use alloc::{format, string::String, vec::Vec};
use core::cmp::Reverse;

use crate::{
    distance::{distance, reasonable},
    grammar::{self, is_ncname},
    name::{NameParameter, Namespace, judge, open_head},
    namespaces::{self, is_known, namespaces},
    table::{EVENTS, EventDef, Family, Parameter},
};

/// At most three names that `name` may have been meant to be, nearest first.
pub(crate) fn suggestions(name: &str, namespace: Namespace) -> Vec<String> {
    let mut found = Found { namespace, ranked: Vec::new() };
    one_edit(name, &mut found);
    if found.ranked.is_empty() {
        further(name, &mut found);
    }
    found.into_nearest()
}

/// Whether a name of `stanza/XMLNS:TAG` is one edit from another event of unbound streams.
pub(crate) fn looks_like_stream_stanza(name: &str) -> bool {
    EVENTS.iter().any(|event| match event.family {
        Family::StreamIq => {
            one_edit_before(event.head(), name).iter().any(|rest| grammar::split(rest).is_ok())
        }
        Family::StreamStanza => distance(name, event.name, 1).is_some(),
        _ => false,
    })
}

/// Whether `XMLNS:TAG` is a known namespace and an element without the colon between them, or
/// with another character in its place.
pub(crate) fn lacks_colon(payload: &str) -> bool {
    namespaces().any(|known| {
        payload.strip_prefix(known).is_some_and(|rest| {
            let mut chars = rest.chars();
            is_ncname(rest) || chars.next() != Some(':') && is_ncname(chars.as_str())
        })
    })
}

/// Whether `XMLNS:TAG` is one edit from one with a known namespace, or the namespace differs
/// from a known one only in case.
pub(crate) fn looks_like_known(payload: &str, namespace: &str) -> bool {
    namespaces().any(|known| known.eq_ignore_ascii_case(namespace))
        || !known_payloads(payload).is_empty()
}

/// More than there are candidates of one kind.
const FEW: usize = 1000;

/// The candidates so far: how far, how unlikely among equals, the name.
struct Found {
    namespace: Namespace,
    ranked: Vec<(usize, usize, String)>,
}

impl Found {
    /// Adds a candidate if it is a name that would be accepted.
    fn add(&mut self, edits: usize, unlikely: usize, name: String) {
        if let Ok(accepted) = judge(&name, self.namespace) {
            let strange = match accepted.parameter {
                NameParameter::Payload { namespace, .. } => strangeness(namespace),
                _ => 0,
            };
            self.ranked.push((edits, unlikely + strange * FEW, name));
        }
    }

    fn into_nearest(mut self) -> Vec<String> {
        self.ranked.sort_by_key(|&(edits, unlikely, _)| (edits, unlikely));
        let mut nearest: Vec<String> = Vec::new();
        let least = self.ranked.first().map(|&(edits, ..)| edits);
        for (edits, _, name) in self.ranked {
            if Some(edits) == least && nearest.len() < 3 && !nearest.contains(&name) {
                nearest.push(name);
            }
        }
        nearest
    }
}

/// How little a namespace looks like one.
fn strangeness(namespace: &str) -> usize {
    if is_known(namespace) {
        0
    } else if ["http:", "https:", "jabber:", "urn:"].iter().any(|s| namespace.starts_with(s)) {
        1
    } else {
        2
    }
}

/// Every acceptable name that is one edit away.
fn one_edit(name: &str, found: &mut Found) {
    for event in EVENTS {
        let Some(head) = open_head(event) else {
            if distance(name, event.name, 1).is_some() {
                found.add(1, 0, event.name.into());
            }
            continue;
        };
        for (order, rest) in (0..).zip(one_edit_before(head, name)) {
            found.add(1, order, format!("{head}{rest}"));
        }
        if let (Parameter::Payload, Some(rest)) = (event.parameter, name.strip_prefix(head)) {
            for (order, payload) in (0..).zip(known_payloads(rest)) {
                found.add(1, order, format!("{head}{payload}"));
            }
        }
    }
}

/// The acceptable names that are further away but recognisable.
fn further(name: &str, found: &mut Found) {
    let squeezed = squeeze(name);
    for event in EVENTS {
        match open_head(event) {
            None => {
                let limit = reasonable(event.name.len());
                if let Some(edits) = distance(&squeezed.to_ascii_lowercase(), event.name, limit) {
                    found.add(edits, 0, event.name.into());
                }
            }
            Some(head) => further_open(event, head, &squeezed, found),
        }
    }
}

fn further_open(event: &EventDef, head: &str, name: &str, found: &mut Found) {
    let slashes = head.matches('/').count();
    let Some((end, _)) = name.match_indices('/').nth(slashes.saturating_sub(1)) else {
        return;
    };
    let (Some(start), Some(rest)) = (name.get(..=end), name.get(end + 1..)) else {
        return;
    };
    let Some(edits) = distance(&start.to_ascii_lowercase(), head, 2) else {
        return;
    };
    found.add(edits, 0, format!("{head}{rest}"));
    if event.parameter != Parameter::Payload {
        return;
    }
    for (order, payload) in (0..).zip(known_payloads(rest)) {
        found.add(edits + 1, order, format!("{head}{payload}"));
    }
    let Some((namespace, element)) = rest.rsplit_once(':') else {
        return;
    };
    for known in namespaces() {
        if known.eq_ignore_ascii_case(namespace) {
            found.add(edits + 1, 0, format!("{head}{known}:{element}"));
        }
    }
    for known in namespaces::other_versions(namespace) {
        let away = distance(known, namespace, 9).unwrap_or(9);
        found.add(edits + away, 0, format!("{head}{known}:{element}"));
    }
}

/// The name without spaces at its ends and with single slashes in its fixed parts.
fn squeeze(name: &str) -> String {
    let mut squeezed = String::new();
    // A colon ends the fixed parts: behind it, `//` is part of a namespace.
    let mut colon = false;
    for c in name.trim().chars() {
        colon |= c == ':';
        if c != '/' || colon || !squeezed.ends_with('/') {
            squeezed.push(c);
        }
    }
    squeezed
}

/// What may follow `head` when `name` begins with it but for one edit; the likeliest first.
fn one_edit_before(head: &str, name: &str) -> Vec<String> {
    let same = head.bytes().zip(name.bytes()).take_while(|(a, b)| a == b).count();
    let (Some(head), Some(tail)) = (head.get(same..), name.get(same..)) else {
        return Vec::new();
    };
    let mut tail_chars = tail.chars();
    let first = tail_chars.next();
    let after_first = tail_chars.as_str();
    let second = tail_chars.next();
    let after_second = tail_chars.as_str();
    let mut head_chars = head.chars();
    let Some(expected) = head_chars.next() else {
        // The head is there in full: the edit doubled its last character or added another that
        // the open part cannot begin with.
        let odd = first.is_some_and(|first| !first.is_alphanumeric());
        return if odd { Vec::from([after_first.into()]) } else { Vec::new() };
    };
    let after_expected = head_chars.as_str();
    let swapped = match head_chars.next() {
        Some(next) if first == Some(next) && second == Some(expected) => {
            after_second.strip_prefix(head_chars.as_str()).map(String::from)
        }
        None if second == Some(expected) => first.map(|first| format!("{first}{after_second}")),
        _ => None,
    };
    let inserted = after_first.strip_prefix(head).map(String::from);
    let substituted = after_first.strip_prefix(after_expected).map(String::from);
    let deleted = tail.strip_prefix(after_expected).map(String::from);
    // Only at the end of the head can several of these hold.
    let letter = first.is_some_and(char::is_alphanumeric);
    let (likelier, less) = if letter { (deleted, substituted) } else { (substituted, deleted) };
    let mut all: Vec<String> = Vec::new();
    for rest in [inserted, swapped, likelier, less].into_iter().flatten() {
        if !all.contains(&rest) {
            all.push(rest);
        }
    }
    all
}

/// Every `XMLNS:TAG` with a known namespace that is one edit away in its namespace or colon, the
/// likeliest first.
fn known_payloads(payload: &str) -> Vec<String> {
    let tag = payload.rsplit(':').next();
    let mut found = Vec::new();
    let mut pattern = String::new();
    for known in namespaces().filter(|known| may_begin(known, payload)) {
        pattern.clear();
        pattern.push_str(known);
        pattern.push(':');
        for element in one_edit_before(&pattern, payload).into_iter().filter(|e| is_ncname(e)) {
            let usual = USUAL.contains(&element.as_str()) || known.ends_with(&element);
            let kept = tag == Some(&element);
            found.push(((!usual, !kept, Reverse(known.len())), format!("{pattern}{element}")));
        }
    }
    found.sort_by_key(|&(unlikely, _)| unlikely);
    found.into_iter().map(|(_, payload)| payload).collect()
}

/// Whether `payload` may begin with `known` but for one edit; cheap, and false of almost all.
fn may_begin(known: &str, payload: &str) -> bool {
    // The edit is in the last quarter or beyond, or the last quarter is there, perhaps shifted.
    let (known, payload) = (known.as_bytes(), payload.as_bytes());
    let most = known.len() - known.len() / 4;
    let tail = known.get(most + 1..).unwrap_or_default();
    payload.get(..most).is_some_and(|start| known.starts_with(start))
        || (most..=most + 2).any(|at| payload.get(at..).is_some_and(|end| end.starts_with(tail)))
}

/// Names that many elements have. `jabber:iq:versionq:uery` can be two things; one has a usual name.
const USUAL: [&str; 12] = [
    "auth", "bind", "enable", "event", "item", "ping", "pubsub", "query", "request", "session",
    "vCard", "x",
];
