//! Compares the edits of an element with the same edits of a tree.

use proptest::{prelude::*, sample::select};

use super::{
    element,
    generate::document,
    is_indexed,
    tree::{Node, Tree, back},
};
use crate::{Element, ElementBuilder, NamespaceScope, XmlLimits};

#[derive(Debug, Clone)]
enum Edit {
    Set(Vec<(&'static str, Option<String>)>),
    SetOne(&'static str, Option<String>),
    Address(String),
    Push(Element),
    Retain(usize),
    Text(String),
}

fn names() -> impl Strategy<Value = &'static str> {
    select(&["to", "from", "id", "type", "xml:lang", "a", "other"][..])
}

fn stanza() -> impl Strategy<Value = Element> {
    document().prop_filter_map("refused", |xml| {
        let scope =
            NamespaceScope::default().with_prefix("stream", "urn:s").with_prefix("u", "urn:u");
        Element::parse(xml.as_bytes(), &scope, &XmlLimits::default()).ok()
    })
}

fn edit() -> impl Strategy<Value = Edit> {
    let value = prop::option::of("[a-z<&'\"\t\n\r é]{0,6}");
    prop_oneof![
        prop::collection::vec((names(), value.clone()), 1..4).prop_map(Edit::Set),
        (names(), value).prop_map(|(name, value)| Edit::SetOne(name, value)),
        "[a-z<&'\" é]{0,6}".prop_map(Edit::Address),
        stanza().prop_map(Edit::Push),
        (0..3_usize).prop_map(Edit::Retain),
        "[a-z<>&\\]\r\n]{0,6}".prop_map(Edit::Text),
    ]
}

/// Elements after some edits.
pub(super) fn edited() -> impl Strategy<Value = Element> {
    (stanza(), prop::collection::vec(edit(), 1..6)).prop_map(|(mut element, edits)| {
        edits.iter().for_each(|edit| on_element(&mut element, edit));
        element
    })
}

fn kept(name: &str, namespace: &str, which: usize) -> bool {
    match which {
        0 => name != "x",
        1 => namespace == "jabber:client",
        _ => false,
    }
}

fn on_tree(tree: Tree, edit: &Edit) -> Tree {
    let mut tree = tree;
    match edit {
        Edit::Set(changes) => {
            for (name, value) in changes {
                let key = match name.strip_prefix("xml:") {
                    Some(name) => ("http://www.w3.org/XML/1998/namespace", name),
                    None => ("", *name),
                };
                let key = (key.0.to_owned(), key.1.to_owned());
                match value {
                    Some(value) => tree.attributes.insert(key, value.clone()),
                    None => tree.attributes.remove(&key),
                };
            }
        }
        Edit::SetOne(name, value) => {
            return on_tree(tree, &Edit::Set(vec![(*name, value.clone())]));
        }
        Edit::Address(to) => return on_tree(tree, &Edit::SetOne("to", Some(to.clone()))),
        Edit::Push(child) => tree.nodes.push(Node::Element(back(child))),
        Edit::Retain(which) => {
            return tree.without(|child| kept(&child.name, &child.namespace, *which));
        }
        Edit::Text(text) => {
            tree.nodes.clear();
            tree.push_text(text);
        }
    }
    tree
}

fn on_element(element: &mut Element, edit: &Edit) {
    match edit {
        Edit::Set(changes) => {
            let changes: Vec<_> = changes.iter().map(|(n, v)| (*n, v.as_deref())).collect();
            element.set_attributes(&changes);
        }
        Edit::SetOne(name, value) => element.set_attribute(name, value.as_deref()),
        Edit::Address(to) => *element = element.addressed_to(to),
        Edit::Push(child) => element.push_child(child),
        Edit::Retain(which) => {
            element.retain_children(|child| kept(child.name(), child.namespace(), *which));
        }
        Edit::Text(text) => element.set_text(text),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn edits_equal_edits_of_the_tree(
        start in stanza(),
        edits in prop::collection::vec(edit(), 1..6),
    ) {
        let mut element = start;
        let mut tree = back(&element);
        for edit in &edits {
            on_element(&mut element, edit);
            tree = on_tree(tree, edit);
            prop_assert_eq!(&back(&element), &tree, "{:?} {}", edit, element);
            is_indexed(&element);
        }
    }

    #[test]
    fn a_built_element_has_the_given_parts(
        (name, namespace) in head(),
        attributes in prop::collection::btree_map(names(), "[a-z<&'\"\t\n\r é]{0,6}", 0..4),
        children in prop::collection::vec(stanza(), 0..3),
        text in "[a-z<>&\\]\r\n]{0,6}",
    ) {
        let mut builder = ElementBuilder::new(name, namespace);
        let (name, namespace) = (name.to_owned(), namespace.to_owned());
        let mut expected = Tree { name, namespace, attributes: [].into(), nodes: Vec::new() };
        for (name, value) in &attributes {
            builder = builder.attribute(name, value);
            expected = on_tree(expected, &Edit::Set(vec![(*name, Some(value.clone()))]));
        }
        let element = builder.children(&children).text(&text).build();
        expected.nodes.extend(children.iter().map(|child| Node::Element(back(child))));
        expected.push_text(&text);
        prop_assert_eq!(&back(&element), &expected, "{}", element);
        is_indexed(&element);
    }
}

fn head() -> impl Strategy<Value = (&'static str, &'static str)> {
    let namespaces = &["jabber:client", "urn:a", "urn:b'", ""][..];
    (select(&["iq", "a"][..]), select(namespaces))
}

#[test]
fn several_attributes_are_set_at_once() {
    let mut message = element("<message to='x' id='1' type='chat'><body>Hi</body></message>");
    message.set_attributes(&[("from", Some("a@b/c'<")), ("to", Some("d")), ("type", None)]);
    let expected = "<message to='d' id='1' from='a@b/c&apos;&lt;'><body>Hi</body></message>";
    assert_eq!(message.to_string(), expected);
    assert_eq!(message.attribute("from").unwrap(), "a@b/c'<");
    assert_eq!(message.attribute("type"), None);
    assert_eq!(message.first_child().unwrap().text(), "Hi");
}

#[test]
fn a_copy_gets_another_address() {
    let presence = element("<presence from='a@b/c'><show>away</show></presence>");
    let copy = presence.addressed_to("d@e/'");
    let expected = "<presence from='a@b/c' to='d@e/&apos;'><show>away</show></presence>";
    assert_eq!(copy.to_string(), expected);
    assert_eq!(copy.attribute("to").unwrap(), "d@e/'");
    assert_eq!(copy.first_child().unwrap().text(), "away");
    let other = copy.addressed_to("f@g");
    assert_eq!(other.attribute("to").unwrap(), "f@g");
    assert_eq!(other.attribute("from").unwrap(), "a@b/c");
    assert_eq!(presence.attribute("to"), None);
}

#[test]
fn children_are_added_and_removed() {
    let mut message = element("<message/>");
    let x = ElementBuilder::new("x", "urn:x").attribute("a", "b").text("<").build();
    message.push_child(&x);
    message.push_child(&element("<body>Hi</body>"));
    assert_eq!(
        message.to_string(),
        "<message><x xmlns='urn:x' a='b'>&lt;</x><body>Hi</body></message>"
    );
    assert_eq!(message.retain_children(|child| child.name() != "x"), 1);
    assert_eq!(message.retain_children(|_| true), 0);
    assert_eq!(message.to_string(), "<message><body>Hi</body></message>");
    let forwarded = ElementBuilder::new("forwarded", "urn:xmpp:forward:0").child(&message).build();
    assert_eq!(
        forwarded.to_string(),
        "<forwarded xmlns='urn:xmpp:forward:0'><message xmlns='jabber:client'><body>Hi</body>\
         </message></forwarded>"
    );
    assert_eq!(forwarded.first_child().unwrap().to_element(), message);
}

#[test]
fn removing_a_child_between_line_ends_keeps_both() {
    let mut message = element("<message>\r<a/>\n</message>");
    assert_eq!(message.retain_children(|_| false), 1);
    assert_eq!(message.text(), "\n\n");
}

#[test]
fn forbidden_characters_are_replaced() {
    let built = ElementBuilder::new("a", "").attribute("b", "\0\u{FFFE}").text("\u{1}\r").build();
    assert_eq!(built.to_string(), "<a xmlns='' b='\u{FFFD}\u{FFFD}'>\u{FFFD}&#xD;</a>");
    assert_eq!(built.text(), "\u{FFFD}\r");
}
