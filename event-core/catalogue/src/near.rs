//! Finds names one edit away from a fixed part or a known namespace.

use alloc::{format, string::String, vec::Vec};
use core::cmp::Reverse;

use crate::{
    distance::{distance, reasonable},
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

/// Whether `namespace` is one edit from a known one, or `payload` one edit from a known namespace
/// and an element.
pub(crate) fn looks_like_known(payload: &str, namespace: &str) -> bool {
    namespaces().any(|known| is_close(namespace, known)) || !known_payloads(payload).is_empty()
}

/// Whether `word` is at most one edit from `known`, apart from upper and lower case. Both are ASCII.
pub(crate) fn is_close(word: &str, known: &str) -> bool {
    let (a, b) = (word.as_bytes(), known.as_bytes());
    if a.len().abs_diff(b.len()) > 1 {
        return false;
    }
    let same = |(x, y): &(&u8, &u8)| x.eq_ignore_ascii_case(y);
    let start = a.iter().zip(b).take_while(same).count();
    let (a, b) = (a.get(start..).unwrap_or_default(), b.get(start..).unwrap_or_default());
    let end = a.iter().rev().zip(b.iter().rev()).take_while(same).count();
    match (a.get(..a.len() - end), b.get(..b.len() - end)) {
        (Some([x, y]), Some([v, w])) => same(&(x, w)) && same(&(y, v)),
        (Some(a), Some(b)) => a.len() <= 1 && b.len() <= 1,
        _ => false,
    }
}

/// The nearest of `known`, at most three and all at the same distance from `word`, which is at most
/// [`reasonable`].
pub(crate) fn closest<'a>(word: &str, known: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let limit = reasonable(word.chars().count());
    let word = word.to_ascii_lowercase();
    let mut near: Vec<_> = known
        .filter_map(|known| Some((distance(&word, &known.to_ascii_lowercase(), limit)?, known)))
        .collect();
    near.sort_by_key(|&(edits, _)| edits);
    let least = near.first().map(|&(edits, _)| edits);
    near.into_iter()
        .filter(|&(edits, _)| Some(edits) == least)
        .map(|(_, known)| known)
        .take(3)
        .collect()
}

/// If `name` begins with `head` misspelt by exactly one edit: what may follow in `name`, likeliest
/// first.
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
