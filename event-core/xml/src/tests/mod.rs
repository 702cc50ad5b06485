//! Tests of the whole crate, with the strict parser `rxml` as the oracle.

mod corpus;
mod edit;
mod framer;
mod generate;
mod header;
mod index;
mod nasty;
mod oracle;
mod tree;
mod typed;

use super::{Element, NamespaceScope, XmlError, XmlLimits};

fn parse(xml: &str) -> Result<Element, XmlError> {
    Element::parse(xml.as_bytes(), &NamespaceScope::default(), &XmlLimits::default())
}

fn element(xml: &str) -> Element {
    parse(xml).unwrap_or_else(|error| panic!("{error}: {xml}"))
}

/// Asserts that a written or edited element has the same index as the element read from its bytes.
fn is_indexed(element: &Element) {
    let fresh =
        Element::parse(element.as_bytes(), &NamespaceScope::default(), &XmlLimits::UNBOUNDED)
            .unwrap();
    assert_eq!(&fresh, element);
    assert_eq!((fresh.name(), fresh.namespace()), (element.name(), element.namespace()));
    assert_eq!(fresh.text(), element.text());
    for name in ["to", "from", "id", "type", "xml:lang", "a"] {
        assert_eq!(fresh.attribute(name), element.attribute(name), "{element}");
    }
    assert_eq!(fresh.children().count(), element.children().count(), "{element}");
    for (one, other) in fresh.children().zip(element.children()) {
        assert_eq!(one.xml(), other.xml());
        assert_eq!((one.name(), one.namespace()), (other.name(), other.namespace()));
        assert_eq!(one.attribute("a"), other.attribute("a"));
        assert_eq!(one.text(), other.text());
    }
}
