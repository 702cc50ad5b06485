//! The known XML namespaces of XMPP, their versions and their elements.

use crate::{
    lines,
    table::{EventDef, Family},
};

/// One namespace per line, sorted, with its elements: `NAMESPACE ELEMENT ELEMENT=PLACE,PLACE …`. An
/// element without a place stands only inside other elements. The places are `iq`, `iq-get` and
/// `iq-set` for elements that are only seen in an iq of that type, `message`, `presence`, `stream`.
const TEXT: &str = include_str!("../namespaces.txt");

static LINES: [&str; lines::count(TEXT)] = lines::split(TEXT);

/// Every known namespace, sorted.
pub fn namespaces() -> impl Iterator<Item = &'static str> {
    LINES.iter().map(|line| line.split_once(' ').map_or(*line, |(namespace, _)| namespace))
}

/// Whether `namespace` is one of the [`namespaces`].
#[must_use]
pub const fn is_known(namespace: &str) -> bool {
    lines::find(&LINES, namespace).is_some()
}

/// The known elements of a known namespace, sorted. A namespace without any takes every element.
pub fn elements(namespace: &str) -> impl Iterator<Item = Element> {
    let line = lines::find(&LINES, namespace).unwrap_or_default();
    line.split(' ').skip(1).map(|element| {
        let (name, places) = element.split_once('=').unwrap_or((element, ""));
        Element { name, places }
    })
}

/// An element of a known namespace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Element {
    /// Its name, without the namespace.
    pub name: &'static str,
    places: &'static str,
}

/// Whether an event fires for an element.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fit {
    /// The element stands where the event looks for it.
    Fires,
    /// The element is only seen in an iq of the other type: `get` or `set`.
    OtherType(&'static str),
    /// The element stands elsewhere.
    Elsewhere,
}

impl Element {
    /// Where the element stands: `iq`, `message`, `presence`, `stream`. Empty for one that stands
    /// only inside other elements.
    pub fn places(self) -> impl Iterator<Item = &'static str> {
        let places = self.places.split(',').filter(|place| !place.is_empty());
        places.map(|place| place.split_once('-').map_or(place, |(place, _)| place))
    }

    /// Whether `event` fires for the element.
    #[must_use]
    pub fn fit(self, event: &EventDef) -> Fit {
        if event.family == Family::Nonza {
            let fires = self.places().any(|place| place == "stream");
            return if fires { Fit::Fires } else { Fit::Elsewhere };
        }
        let Some(iq) = self.places.split(',').find(|place| place.starts_with("iq")) else {
            return Fit::Elsewhere;
        };
        match (iq, event.name.as_bytes()) {
            ("iq-get", [b'i', b'q', b'-', b's', ..]) => Fit::OtherType("get"),
            ("iq-set", [b'i', b'q', b'-', b'g', ..]) => Fit::OtherType("set"),
            _ => Fit::Fires,
        }
    }
}

/// The known namespaces that differ from `namespace` only in a version number, or in having one.
pub(crate) fn other_versions(namespace: &str) -> impl Iterator<Item = &'static str> {
    // A cheap filter that rejects most.
    let alike = move |known: &&str| known.get(..6) == namespace.get(..6);
    let digits = |text| str::bytes(text).filter(u8::is_ascii_digit);
    namespaces()
        .filter(alike)
        .filter(move |known| words(known).eq(words(namespace)))
        .filter(move |known| digits(known).ne(digits(namespace)))
}

/// The parts of a namespace that are not version numbers.
fn words(namespace: &str) -> impl Iterator<Item = &str> {
    namespace.split([':', '#', '/']).filter(|part| !is_version(part))
}

fn is_version(part: &str) -> bool {
    let digits = part.strip_prefix('v').unwrap_or(part);
    digits.starts_with(|c: char| c.is_ascii_digit())
        && digits.bytes().all(|b| b.is_ascii_digit() || b == b'.')
}

#[cfg(test)]
mod tests {
    use super::{LINES, elements, is_known, namespaces, other_versions};
    use crate::grammar::{is_ncname, split};
    use alloc::{format, vec::Vec};

    #[test]
    fn the_list_is_sorted_and_every_name_is_valid() {
        let list: Vec<_> = namespaces().collect();
        assert_eq!(list.len(), LINES.len());
        assert!(list.is_sorted_by(|a, b| a < b));
        for namespace in list {
            assert!(is_known(namespace));
            assert!(split(&format!("{namespace}:x")).is_ok(), "{namespace}");
            let elements: Vec<_> = elements(namespace).collect();
            assert!(elements.is_sorted_by(|a, b| a.name < b.name), "{namespace}");
            for element in elements {
                assert!(is_ncname(element.name), "{namespace}:{}", element.name);
                for place in element.places() {
                    assert!(["iq", "message", "presence", "stream"].contains(&place), "{place}");
                }
            }
        }
        assert!(!is_known("") && !is_known("jabber:iq:versio") && !is_known("jabber:iq:version "));
    }

    #[test]
    fn version_numbers_are_recognised_anywhere_in_a_namespace() {
        let versions = |namespace| other_versions(namespace).collect::<Vec<_>>();
        assert_eq!(versions("urn:xmpp:carbons:12"), ["urn:xmpp:carbons:1", "urn:xmpp:carbons:2"]);
        assert_eq!(versions("urn:xmpp:sm"), ["urn:xmpp:sm:2", "urn:xmpp:sm:3"]);
        assert_eq!(versions("urn:xmpp:ping:0"), ["urn:xmpp:ping"]);
        assert_eq!(versions("urn:xmpp:pie:22#mam"), ["urn:xmpp:pie:0#mam"]);
        assert_eq!(versions("http://tigase.org/protocol/forward#v22").len(), 1);
        assert!(versions("urn:example:mine:1").is_empty());
    }
}
