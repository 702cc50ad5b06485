//! The known XML namespaces of XMPP, and their versions.

/// One namespace per line, sorted.
const TEXT: &str = include_str!("../namespaces.txt");

const COUNT: usize = count(TEXT.as_bytes());

static NAMESPACES: [&str; COUNT] = split(TEXT);

/// Every known namespace, sorted.
pub fn namespaces() -> impl Iterator<Item = &'static str> {
    NAMESPACES.iter().copied()
}

/// Whether `namespace` is one of the [`namespaces`].
#[must_use]
pub fn is_known(namespace: &str) -> bool {
    NAMESPACES.binary_search(&namespace).is_ok()
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

#[expect(clippy::indexing_slicing, reason = "evaluated by the compiler, which checks the bounds")]
const fn count(text: &[u8]) -> usize {
    let (mut at, mut lines) = (0, 0);
    while at < text.len() {
        if text[at] == b'\n' {
            lines += 1;
        }
        at += 1;
    }
    lines
}

#[expect(clippy::indexing_slicing, reason = "evaluated by the compiler, which checks the bounds")]
const fn split(text: &'static str) -> [&'static str; COUNT] {
    let mut lines = [""; COUNT];
    let (mut at, mut start, mut line) = (0, 0, 0);
    while at < text.len() {
        if text.as_bytes()[at] == b'\n' {
            lines[line] = text.split_at(at).0.split_at(start).1;
            line += 1;
            start = at + 1;
        }
        at += 1;
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::{TEXT, is_known, namespaces, other_versions};
    use alloc::vec::Vec;

    #[test]
    fn the_list_is_sorted_and_every_namespace_is_valid_in_a_name() {
        let list: Vec<_> = namespaces().collect();
        assert!(list.iter().copied().eq(TEXT.lines()));
        assert!(list.is_sorted_by(|a, b| a < b));
        for namespace in list {
            assert!(is_known(namespace));
            assert!(namespace.bytes().all(|b| b.is_ascii_graphic()), "{namespace}");
            assert!(!namespace.starts_with('/'), "{namespace}");
        }
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
