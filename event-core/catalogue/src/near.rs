//! Finds names one edit away from a fixed part or a known namespace.

use alloc::{format, string::String, vec::Vec};
use core::cmp::Reverse;

use crate::{
    distance::distance,
    grammar::{self, is_ncname},
    namespaces::namespaces,
    table::{EVENTS, Family},
};

/// Whether a name that matches `stanza/XMLNS:TAG` is one edit from another `stanza/…` event.
pub(crate) fn looks_like_stream_stanza(name: &str) -> bool {
    EVENTS.iter().any(|event| match event.family {
        Family::StreamIq => {
            one_edit_before(event.head(), name).iter().any(|rest| grammar::split(rest).is_ok())
        }
        Family::StreamStanza => distance(name, event.name, 1).is_some(),
        _ => false,
    })
}

/// Whether `payload` is a known namespace and an element with no colon, or another character,
/// between them.
pub(crate) fn lacks_colon(payload: &str) -> bool {
    namespaces().any(|known| {
        payload.strip_prefix(known).is_some_and(|rest| {
            let mut chars = rest.chars();
            is_ncname(rest) || chars.next() != Some(':') && is_ncname(chars.as_str())
        })
    })
}

/// Whether `payload` is one edit from a known namespace and an element, or its namespace differs
/// from a known one only in case.
pub(crate) fn looks_like_known(payload: &str, namespace: &str) -> bool {
    namespaces().any(|known| known.eq_ignore_ascii_case(namespace))
        || !known_payloads(payload).is_empty()
}

/// The possible rests of `name` after `head` with exactly one edit in `head`, likeliest first.
pub(crate) fn one_edit_before(head: &str, name: &str) -> Vec<String> {
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
        // `name` begins with all of `head`: the edit added a character at its end, which is certain
        // only if the open part cannot begin with that character.
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
    // More than one of these can hold only at the end of `head`.
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

/// Every `XMLNS:TAG` with a known namespace, one edit from `payload` in its namespace or colon,
/// likeliest first.
pub(crate) fn known_payloads(payload: &str) -> Vec<String> {
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

/// Whether `payload` may begin with `known` with one edit: a cheap filter that rejects most.
fn may_begin(known: &str, payload: &str) -> bool {
    // Either the edit is in or after the last quarter of `known`, or `payload` has that quarter,
    // shifted by at most one.
    let (known, payload) = (known.as_bytes(), payload.as_bytes());
    let most = known.len() - known.len() / 4;
    let tail = known.get(most + 1..).unwrap_or_default();
    payload.get(..most).is_some_and(|start| known.starts_with(start))
        || (most..=most + 2).any(|at| payload.get(at..).is_some_and(|end| end.starts_with(tail)))
}

/// Common element names. They decide between two readings of `jabber:iq:versionq:uery`.
const USUAL: [&str; 12] = [
    "auth", "bind", "enable", "event", "item", "ping", "pubsub", "query", "request", "session",
    "vCard", "x",
];
