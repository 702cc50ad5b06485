//! Suggests corrections of a refused name.

use alloc::{format, string::String, vec::Vec};

use crate::{
    distance::{distance, nearest, reasonable},
    name::{NameParameter, Undeclared, has_scheme, open_head, read},
    namespaces::{Fit, elements, is_known, namespaces, other_versions},
    near::{known_payloads, one_edit_before},
    table::{EVENTS, EventDef, Parameter},
};

/// At most three likely corrections of `name`, nearest first.
pub(crate) fn suggestions(name: &str) -> Vec<String> {
    let mut found = Found { only_known: read(name).is_ok(), ranked: Vec::new() };
    one_edit(name, &mut found);
    if found.ranked.is_empty() {
        further(name, &mut found);
    }
    found.into_nearest()
}

/// `name` itself if it is known, or else its [`suggestions`].
pub(crate) fn corrections(name: &str) -> Vec<String> {
    match read(name) {
        Ok(read) if read.undeclared.is_none() => Vec::from([name.into()]),
        _ => suggestions(name),
    }
}

/// The candidates so far.
struct Found {
    /// Whether the name only lacks a declaration. Then only corrections that need none are candidates.
    only_known: bool,
    /// The distance, the unlikelihood, the order among candidates equal in both, and the name.
    ranked: Vec<(usize, usize, usize, String)>,
}

impl Found {
    /// Adds a candidate if it would be accepted.
    fn add(&mut self, edits: usize, order: usize, name: String) {
        if let Ok(accepted) = read(&name) {
            let unlikely = match (accepted.undeclared, accepted.parameter) {
                (None, _) => 0,
                (Some(Undeclared::Element), _) => 1,
                (_, NameParameter::Payload { namespace, .. }) if has_scheme(namespace) => 2,
                _ => 3,
            };
            if unlikely == 0 || !self.only_known {
                self.ranked.push((edits, unlikely, order, name));
            }
        }
    }

    fn into_nearest(mut self) -> Vec<String> {
        self.ranked.sort_by_key(|&(edits, unlikely, order, _)| (edits, unlikely, order));
        let mut nearest: Vec<String> = Vec::new();
        let best = self.ranked.first().map(|&(edits, unlikely, ..)| (edits, unlikely));
        for (edits, unlikely, _, name) in self.ranked {
            if Some((edits, unlikely)) == best && nearest.len() < 3 && !nearest.contains(&name) {
                nearest.push(name);
            }
        }
        nearest
    }
}

/// Adds every acceptable name that is one edit away.
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
        let Some(rest) = name.strip_prefix(head) else { continue };
        if event.parameter != Parameter::Payload {
            continue;
        }
        for (order, payload) in (0..).zip(known_payloads(rest)) {
            found.add(1, order, format!("{head}{payload}"));
        }
        for (namespace, tag) in splits(rest) {
            for known in firing(event, namespace).filter(|known| distance(tag, known, 1).is_some())
            {
                found.add(1, 0, format!("{head}{namespace}:{known}"));
            }
        }
    }
}

/// Every division of `payload` at a colon, with a known namespace before it.
fn splits(payload: &str) -> impl Iterator<Item = (&str, &str)> {
    payload.match_indices(':').filter_map(|(at, _)| {
        let (namespace, element) = payload.split_at_checked(at)?;
        is_known(namespace).then_some((namespace, element.get(1..)?))
    })
}

/// The elements of `namespace` for which `event` fires.
fn firing(event: &EventDef, namespace: &str) -> impl Iterator<Item = &'static str> {
    elements(namespace)
        .filter(|element| element.fit(event) == Fit::Fires)
        .map(|element| element.name)
}

/// Adds acceptable names more than one edit away.
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
    if let Some((element, namespace)) = rest.split_once(':')
        && (is_known(namespace) || has_scheme(namespace))
    {
        found.add(edits + 1, 0, format!("{head}{namespace}:{element}"));
    }
    let (namespace, element) = rest.rsplit_once(':').unwrap_or((rest, ""));
    if is_known(namespace) {
        let fires: Vec<_> = firing(event, namespace).collect();
        for (order, element) in nearest(element, fires).into_iter().enumerate() {
            found.add(edits + 1, order, format!("{head}{namespace}:{element}"));
        }
        return;
    }
    let mut add = |away: usize, known: &str| {
        let fires: Vec<_> = firing(event, known).collect();
        if fires.contains(&element) || elements(known).next().is_none() {
            found.add(edits + away, 0, format!("{head}{known}:{element}"));
            return;
        }
        let near = nearest(element, fires.iter().copied());
        let chosen = if near.is_empty() && fires.len() <= 3 { fires } else { near };
        for (order, element) in chosen.into_iter().enumerate() {
            found.add(edits + away + 1, order, format!("{head}{known}:{element}"));
        }
    };
    for known in namespaces() {
        if known.eq_ignore_ascii_case(namespace)
            || [namespace, rest].map(without_scheme).contains(&without_scheme(known))
        {
            add(1, known);
        } else if is_extended(namespace, known) {
            add(2, known);
        } else if let Some(away) = distance(known, namespace, reasonable(namespace.len()))
            && (away == 1 || firing(event, known).any(|known| known == element))
        {
            add(away, known);
        }
    }
    for known in other_versions(namespace) {
        add(distance(known, namespace, 9).unwrap_or(9), known);
    }
}

/// Whether `known` is `namespace` and a fragment.
fn is_extended(namespace: &str, known: &str) -> bool {
    known.strip_prefix(namespace).is_some_and(|end| end.starts_with('#'))
}

/// A namespace without what is often forgotten or written in front of it.
fn without_scheme(namespace: &str) -> &str {
    let mut bare = namespace;
    for start in ["xmlns", "=", ":", "'", "\"", "https:", "http:", "//", "/", "www."] {
        bare = bare.strip_prefix(start).unwrap_or(bare);
    }
    bare.trim_end_matches(['/', '\'', '"'])
}

/// Trims the name and merges repeated slashes in its fixed part.
fn squeeze(name: &str) -> String {
    let mut squeezed = String::new();
    // After the first colon, `//` is part of a namespace.
    let mut colon = false;
    for c in name.trim().chars() {
        colon |= c == ':';
        if c != '/' || colon || !squeezed.ends_with('/') {
            squeezed.push(c);
        }
    }
    squeezed
}
