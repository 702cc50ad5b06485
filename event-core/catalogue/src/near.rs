//! Names one edit away from a known beginning.

use alloc::{format, string::String, vec::Vec};
use core::cmp::Reverse;

use crate::{
    distance::distance,
    grammar::{self, is_ncname},
    namespaces::namespaces,
    table::{EVENTS, Family},
};

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

/// What may follow `head` when `name` begins with it but for one edit; the likeliest first.
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
