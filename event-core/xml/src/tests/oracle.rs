//! Property tests: the reader refuses all input that `rxml` refuses, and reads the same tree.

use proptest::prelude::*;

use super::{
    generate::{document, mutated},
    tree::{Tree, back, opening, read},
};
use crate::{
    Child, Element, NamespaceScope, STREAM_NS, XmlError, XmlLimits,
    element::walk::{Token, Walk},
};

const PREFIXES: &[(&str, &str)] = &[("stream", STREAM_NS), ("u", "urn:up")];

pub(super) fn scope(content: &str) -> NamespaceScope {
    PREFIXES
        .iter()
        .fold(NamespaceScope::new(content), |scope, (prefix, ns)| scope.with_prefix(prefix, ns))
}

/// Compares the results of both parsers for one input. Returns whether both accept the input.
fn compare(content: &str, xml: &[u8]) -> bool {
    let scope = scope(content);
    let ours = Element::parse(xml, &scope, &XmlLimits::default());
    first(xml, &scope, &ours);
    let theirs = read(&opening(content, PREFIXES), xml, "</s>");
    let shown = String::from_utf8_lossy(xml);
    let Ok(ours) = ours else { return false };
    let theirs = theirs.unwrap_or_else(|error| panic!("rxml: {error}\n{shown}"));
    let theirs = theirs.normal();
    let tree = back(&ours);
    assert_eq!(tree, theirs, "\n{shown}\n{ours}");
    same(&ours.as_child(), &tree);
    assert_eq!(ours.children().count(), tree.elements().count());
    for (child, tree) in ours.children().zip(tree.elements()) {
        same(&child, tree);
        // A child can be converted into an element.
        assert_eq!(&back(&child.to_element()), tree, "\n{shown}\n{ours}");
        same(&child.to_element().as_child(), tree);
    }
    assert_eq!(ours.text(), tree.text());
    assert_eq!(ours.namespace(), tree.namespace);
    normal_form(&ours);
    true
}

/// Checks that `parse_first` reads the same element from a longer text as `parse` from the frame.
fn first(xml: &[u8], scope: &NamespaceScope, alone: &Result<Element, XmlError>) {
    let Ok(xml) = str::from_utf8(xml) else { return };
    for more in ["", " ", "<next/>", "\u{1}"] {
        let text = format!("{xml}{more}");
        let read = Element::parse_first(&text, scope, &XmlLimits::default(), None);
        if let Some((element, length)) = &read {
            let frame = Element::parse(&text.as_bytes()[..*length], scope, &XmlLimits::default());
            assert_eq!(frame.as_ref(), Ok(element), "{text}");
        }
        if let Ok(element) = alone {
            assert_eq!(read, Some((element.clone(), xml.len())), "{text}");
        }
    }
}

fn same(child: &Child<'_>, tree: &Tree) {
    assert_eq!(child.name(), tree.name);
    assert_eq!(child.namespace(), tree.namespace);
    assert_eq!(child.text(), tree.text());
    for ((namespace, name), value) in &tree.attributes {
        if namespace.is_empty() {
            assert_eq!(child.attribute(name).as_deref(), Some(value.as_str()), "{name}");
        }
    }
    assert_eq!(child.children().count(), tree.elements().count());
    for (child, tree) in child.children().zip(tree.elements()) {
        same(&child, tree);
    }
}

/// Checks that reading normal form again changes nothing, and that no element name has a prefix.
fn normal_form(element: &Element) {
    let again =
        Element::parse(element.as_bytes(), &NamespaceScope::default(), &XmlLimits::default())
            .unwrap();
    assert_eq!(&again, element);
    assert_eq!(again.children().count(), element.children().count());
    for (one, other) in again.children().zip(element.children()) {
        assert_eq!(one.xml(), other.xml());
        assert_eq!(one.namespace(), other.namespace());
    }
    for token in Walk::new(element.xml()) {
        if let Token::Start(head) = token {
            assert!(!head.name().contains(':'), "{element}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3000))]

    #[test]
    fn accepted_documents_keep_their_tree(xml in document(), content in 0..3_usize) {
        compare(["jabber:client", "jabber:server", "urn:other"][content], xml.as_bytes());
    }

    #[test]
    fn documents_that_rxml_refuses_are_refused(xml in mutated(), content in 0..2_usize) {
        compare(["jabber:client", "jabber:server"][content], &xml);
    }
}

/// One CDATA section ends with a line end, and the next one begins with a line end.
#[test]
fn line_ends_at_the_ends_of_cdata_sections() {
    assert!(compare(
        "jabber:client",
        b"<a><![CDATA[\r\n]\r]]><![CDATA[\r\n]]]]><![CDATA[<&]]></a>"
    ));
}

/// Checks that enough documents are well-formed, because the properties say nothing about others.
#[test]
fn enough_documents_are_accepted() {
    use proptest::{strategy::ValueTree, test_runner::TestRunner};
    let mut runner = TestRunner::deterministic();
    let (mut taken, mut refused) = (0, 0);
    for _ in 0..2000 {
        let xml = document().new_tree(&mut runner).unwrap().current();
        let ours = Element::parse(xml.as_bytes(), &scope("jabber:client"), &XmlLimits::default());
        let theirs = read(&opening("jabber:client", PREFIXES), xml.as_bytes(), "</s>");
        match (ours, theirs) {
            (Ok(_), _) => taken += 1,
            (Err(error), Ok(_)) => {
                // `rxml` accepts some documents with these errors.
                let known = [
                    "reserved",
                    "given twice",
                    "prefix without a namespace",
                    "carriage return",
                    "bad name",
                    "invalid namespace",
                    "not a URI",
                ];
                assert!(
                    known.iter().any(|text| error.to_string().contains(text)),
                    "{error}: {xml}"
                );
                refused += 1;
            }
            (Err(_), Err(_)) => refused += 1,
        }
    }
    assert!(taken > 400, "{taken} taken, {refused} refused");
}
