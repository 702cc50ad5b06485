//! Documents for the property tests.

use proptest::{collection::vec, prelude::*, sample::select, strategy::Union};

const NAMES: &[&str] =
    &["message", "body", "x", "y", "p:x", "q:body", "stream:error", "é", "a-b.c", "u:z", "\u{132}"];
const ATTRIBUTES: &[&str] =
    &["to", "from", "id", "type", "xml:lang", "p:a", "q:a", "a", "stream:a", "u:a", "é", "xml:id"];
const NAMESPACES: &[&str] = &[
    "jabber:client",
    "jabber:server",
    "urn:one",
    "urn:two",
    "",
    "urn:with&apos;s",
    "urn:with space",
    "jabber:component:accept",
    "http://etherx.jabber.org/streams",
];
const VALUES: &[&str] = &[
    "",
    "a",
    "a b",
    "\t",
    "\r\n",
    "\n",
    "\r",
    "&#9;",
    "&#xA;",
    "&#13;",
    "&amp;",
    "&lt;",
    "&gt;",
    ">",
    "&apos;",
    "&quot;",
    "é",
    "\u{1F600}",
    "&#x1F600;",
    "]]",
    "/",
    "urn:x",
];
const TEXTS: &[&str] = &["<![CDATA[<&]]>", "<![CDATA[]]>", "<![CDATA[\r\n]]]]>", "]", "\""];

fn value() -> impl Strategy<Value = String> {
    vec(select(VALUES), 0..4).prop_map(|parts| parts.concat())
}

fn text() -> impl Strategy<Value = String> {
    let parts = Union::new([select(VALUES).boxed(), select(TEXTS).boxed()]);
    vec(parts, 0..4).prop_map(|parts| parts.concat())
}

fn attribute() -> impl Strategy<Value = String> {
    let space = select(&[" ", "  ", "\n", "\t"][..]);
    let equals = select(&["=", " = ", "=\n"][..]);
    let named = (space.clone(), select(ATTRIBUTES), equals, value())
        .prop_map(|(space, name, equals, value)| format!("{space}{name}{equals}'{value}'"));
    let quoted = (space, select(ATTRIBUTES), value())
        .prop_map(|(space, name, value)| format!("{space}{name}=\"{value}\""));
    let declared = (select(&["xmlns", "xmlns:p", "xmlns:q"][..]), select(NAMESPACES))
        .prop_map(|(name, namespace)| format!(" {name}='{namespace}'"));
    Union::new_weighted(vec![(2, named.boxed()), (1, quoted.boxed()), (3, declared.boxed())])
}

fn head() -> impl Strategy<Value = (&'static str, String)> {
    (select(NAMES), vec(attribute(), 0..5), select(&["", " ", "\n"][..]))
        .prop_map(|(name, attributes, space)| (name, attributes.concat() + space))
}

/// A document that is often, but not always, a well-formed element.
pub(super) fn document() -> impl Strategy<Value = String> {
    let leaf = (head(), text(), any::<bool>()).prop_map(|((name, rest), text, empty)| {
        if empty { format!("<{name}{rest}/>") } else { format!("<{name}{rest}>{text}</{name}>") }
    });
    leaf.prop_recursive(4, 24, 4, |inner| {
        let piece = Union::new([inner.boxed(), text().boxed()]);
        (head(), vec(piece, 0..5), select(&["", " "][..])).prop_map(
            |((name, rest), inside, space)| {
                format!("<{name}{rest}>{}</{name}{space}>", inside.concat())
            },
        )
    })
}

/// A document with some bytes changed, removed, added or doubled.
pub(super) fn mutated() -> impl Strategy<Value = Vec<u8>> {
    let byte = Union::new([
        select(&b"<>/&;#'\"=:! ?-[]x\0\t\r\n\xC0\xFF\xED"[..]).boxed(),
        any::<u8>().boxed(),
    ]);
    let change = (any::<prop::sample::Index>(), 0..5_u8, byte);
    (document(), vec(change, 1..4)).prop_map(|(document, changes)| {
        let mut bytes = document.into_bytes();
        for (at, kind, byte) in changes {
            let at = at.index(bytes.len().max(1)).min(bytes.len().saturating_sub(1));
            match kind {
                _ if bytes.is_empty() => bytes.push(byte),
                0 => bytes[at] = byte,
                1 => bytes.insert(at, byte),
                2 => drop(bytes.remove(at)),
                3 => bytes.truncate(at),
                _ => {
                    let again = bytes[at..(at + 9).min(bytes.len())].to_vec();
                    bytes.splice(at..at, again);
                }
            }
        }
        bytes
    })
}
