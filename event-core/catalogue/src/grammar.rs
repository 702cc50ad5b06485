//! The syntax of the open part of event names.

pub(crate) use crate::names::is_ncname;
use crate::names::odd_in_namespace;

/// How `XMLNS:TAG` is malformed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Malformed {
    /// There is no `:TAG`.
    NoElement,
    /// The colon between namespace and element is missing.
    NoColon,
    /// The namespace is empty, or there is only an element.
    NoNamespace,
    /// A character that a namespace cannot contain, or cannot begin with.
    Namespace(char),
    /// Text before the namespace that does not belong to it, such as `xmlns=`.
    Prefix(&'static str),
    /// The text after the last colon is not an NCName.
    Element,
    /// The element is written before the namespace.
    Swapped,
}

/// Splits `XMLNS:TAG` at the last colon.
pub(crate) fn split(payload: &str) -> Result<(&str, &str), Malformed> {
    let Some((namespace, element)) = payload.rsplit_once(':') else {
        return Err(if is_ncname(payload) { Malformed::NoNamespace } else { Malformed::NoElement });
    };
    if element.trim().is_empty() || element.starts_with("//") {
        return Err(Malformed::NoElement);
    }
    check_namespace(namespace)?;
    if is_ncname(element) { Ok((namespace, element)) } else { Err(Malformed::Element) }
}

/// Checks that `namespace` can be one: a URI, or at least made of the characters of one.
pub(crate) fn check_namespace(namespace: &str) -> Result<(), Malformed> {
    if namespace.is_empty() {
        return Err(Malformed::NoNamespace);
    }
    if let Some(prefix) =
        ["xmlns=", "xmlns:"].into_iter().find(|prefix| namespace.starts_with(prefix))
    {
        return Err(Malformed::Prefix(prefix));
    }
    if let Some(odd @ ('/' | '$')) = namespace.chars().next() {
        return Err(Malformed::Namespace(odd));
    }
    odd_in_namespace(namespace).map_or(Ok(()), |odd| Err(Malformed::Namespace(odd)))
}

#[cfg(test)]
mod tests {
    use super::{Malformed, is_ncname, split};

    #[test]
    fn payloads_split_at_the_last_colon() {
        assert_eq!(split("jabber:iq:version:query"), Ok(("jabber:iq:version", "query")));
        assert_eq!(split("https://ogp.me/ns#image::x"), Ok(("https://ogp.me/ns#image:", "x")));
        assert_eq!(split("vcard-temp:vCard"), Ok(("vcard-temp", "vCard")));
    }

    #[test]
    fn each_kind_of_malformed_payload_is_distinguished() {
        for (payload, malformed) in [
            ("vcard-temp", Malformed::NoNamespace),
            ("jabber:iq:version:", Malformed::NoElement),
            ("https://example.org/ns", Malformed::NoElement),
            (":query", Malformed::NoNamespace),
            ("/jabber:iq:version:query", Malformed::Namespace('/')),
            ("jabber:iq version:query", Malformed::Namespace(' ')),
            ("{NS}:query", Malformed::Namespace('{')),
            ("$ns:query", Malformed::Namespace('$')),
            ("urn:exampl\u{435}:query", Malformed::Namespace('\u{435}')),
            ("1:2:query", Malformed::Namespace(':')),
            ("urn:a%b:query", Malformed::Namespace('%')),
            ("urn:a:\u{132}", Malformed::Element),
            ("xmlns=jabber:iq:version:query", Malformed::Prefix("xmlns=")),
            ("urn:xmpp:mam:2", Malformed::Element),
            ("jabber:iq:version:que ry", Malformed::Element),
        ] {
            assert_eq!(split(payload), Err(malformed), "{payload}");
        }
    }

    #[test]
    fn element_names_are_nc_names() {
        for name in ["query", "vCard", "_x", "größe", "a-b.c1", "日"] {
            assert!(is_ncname(name), "{name}");
        }
        for name in ["", "1x", "-x", ".x", "a:b", "a b", "a/b", "a\u{d7}", "\u{132}"] {
            assert!(!is_ncname(name), "{name}");
        }
    }
}
