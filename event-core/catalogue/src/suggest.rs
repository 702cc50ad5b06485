//! Suggests corrections of a refused name.

use alloc::{format, string::String, vec::Vec};

use crate::{
    distance::{distance, reasonable},
    name::{NameParameter, Namespace, open_head, read},
    namespaces::{self, is_known, namespaces},
    near::{known_payloads, one_edit_before},
    table::{EVENTS, EventDef, Parameter},
};

/// At most three likely corrections of `name`, nearest first.
pub(crate) fn suggestions(name: &str, namespace: Namespace) -> Vec<String> {
    let mut found = Found { namespace, ranked: Vec::new() };
    one_edit(name, &mut found);
    if found.ranked.is_empty() {
        further(name, &mut found);
    }
    found.into_nearest()
}

/// Larger than the number of candidates from one event, so that strangeness outweighs their order.
const FEW: usize = 1000;

/// The candidates so far.
struct Found {
    namespace: Namespace,
    /// The distance, the rank among candidates at the same distance, the name.
    ranked: Vec<(usize, usize, String)>,
}

impl Found {
    /// Adds a candidate if it would be accepted.
    fn add(&mut self, edits: usize, unlikely: usize, name: String) {
        if let Ok(accepted) = read(&name, self.namespace) {
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

/// Ranks a namespace: 0 if it is known, 1 if it has a common prefix, 2 otherwise.
fn strangeness(namespace: &str) -> usize {
    if is_known(namespace) {
        0
    } else if ["http:", "https:", "jabber:", "urn:"].iter().any(|s| namespace.starts_with(s)) {
        1
    } else {
        2
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
        if let (Parameter::Payload, Some(rest)) = (event.parameter, name.strip_prefix(head)) {
            for (order, payload) in (0..).zip(known_payloads(rest)) {
                found.add(1, order, format!("{head}{payload}"));
            }
        }
    }
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
