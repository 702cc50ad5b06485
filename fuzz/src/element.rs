//! Edits of elements: the same edits of a tree give the same tree, and `rxml` accepts what is
//! written after each.
//!
//! The element ends with a zero byte; the edits follow.

use xmpp_xml::{Child, Element, ElementBuilder, NamespaceScope, STANZA_NS, STREAM_NS, XmlLimits};

use crate::{
    script::Script,
    tree::{self, Node, Tree, back},
};

const NAMES: [&str; 10] =
    ["to", "from", "id", "type", "xml:lang", "a", "other", "xml:space", "é", "b.-1"];
const NAMESPACES: [&str; 5] = [STANZA_NS, "urn:a", "urn:b'", "", "http://x/?y#z"];
const XML_NS: &str = "http://www.w3.org/XML/1998/namespace";
/// The size from which an element is not edited further.
const LARGE: usize = 100_000;

/// See the [module](self).
pub fn run(data: &[u8]) {
    let mut script = Script(data);
    let xml = script.until(0);
    let scope =
        NamespaceScope::default().with_prefix("stream", STREAM_NS).with_prefix("u", "urn:up");
    let Ok(mut element) = Element::parse(xml, &scope, &XmlLimits::default()) else { return };
    let opening = format!("<s xmlns='{STANZA_NS}' xmlns:stream='{STREAM_NS}' xmlns:u='urn:up'>");
    let mut tree =
        tree::read(&opening, xml, "</s>").expect("rxml must accept the element").normal();
    check(&element, &tree);
    while !script.is_done() && element.as_bytes().len() < LARGE {
        edit(&mut script, &mut element, &mut tree);
        check(&element, &tree);
    }
}

fn edit(script: &mut Script<'_>, element: &mut Element, tree: &mut Tree) {
    match script.byte() % 9 {
        0 => {
            let change = change(script);
            element.set_attribute(change.0, change.1.as_deref());
            set(tree, change);
        }
        1 => {
            let changes: Vec<_> = (0..script.byte() % 4).map(|_| change(script)).collect();
            let borrowed: Vec<_> =
                changes.iter().map(|(name, value)| (*name, value.as_deref())).collect();
            element.set_attributes(&borrowed);
            changes.into_iter().for_each(|change| set(tree, change));
        }
        2 => {
            let to = script.text(8);
            *element = element.addressed_to(&to);
            set(tree, ("to", Some(to)));
        }
        3 => {
            let (name, namespace) =
                (script.choose(&["x", "body", "é"]), script.choose(&NAMESPACES));
            let (value, text) = (script.text(8), script.text(8));
            let built =
                ElementBuilder::new(name, namespace).attribute("to", &value).text(&text).build();
            let mut expected = Tree {
                namespace: namespace.to_owned(),
                name: name.to_owned(),
                attributes: [((String::new(), "to".to_owned()), allowed(&value))].into(),
                nodes: Vec::new(),
            };
            expected.push_text(&allowed(&text));
            check(&built, &expected);
            element.push_child(&built);
            tree.nodes.push(Node::Element(expected));
        }
        4 => {
            // One child more than once, or the element in itself.
            let count = element.children().count();
            let at = usize::from(script.byte()) % (count + 1);
            let (child, copy) = match element.children().nth(at) {
                Some(child) => (child.to_element(), tree.elements().nth(at).cloned()),
                None => (element.clone(), Some(tree.clone())),
            };
            element.push_child(&child);
            tree.nodes.extend(copy.map(Node::Element));
        }
        5 => {
            let mask = script.byte();
            let kept = |at: &mut usize| {
                *at += 1;
                mask >> (*at % 8) & 1 == 1
            };
            let mut at = 0;
            element.retain_children(|_| kept(&mut at));
            let at = std::cell::Cell::new(0);
            *tree = tree.clone().without(|_| {
                let mut next = at.get();
                let is_kept = kept(&mut next);
                at.set(next);
                is_kept
            });
        }
        6 => {
            let text = script.text(12);
            element.set_text(&text);
            tree.nodes.clear();
            tree.push_text(&allowed(&text));
        }
        7 => {
            let lang = script.bool().then(|| script.text(5));
            element.set_lang(lang.as_deref());
            set(tree, ("xml:lang", lang));
        }
        _ => {
            let first = element.first_child().map(|child| child.to_element());
            let copy = tree.elements().next().cloned();
            if let (Some(child), Some(copy)) = (first, copy) {
                (*element, *tree) = (child, copy);
            }
        }
    }
}

fn change(script: &mut Script<'_>) -> (&'static str, Option<String>) {
    let name = script.choose(&NAMES);
    (name, script.bool().then(|| script.text(8)))
}

fn set(tree: &mut Tree, (name, value): (&str, Option<String>)) {
    let (namespace, name) = match name.strip_prefix("xml:") {
        Some(name) => (XML_NS, name),
        None => ("", name),
    };
    let key = (namespace.to_owned(), name.to_owned());
    match value {
        Some(value) => tree.attributes.insert(key, allowed(&value)),
        None => tree.attributes.remove(&key),
    };
}

/// The text that is written: characters that XML forbids are replaced.
fn allowed(text: &str) -> String {
    let is_allowed = |c| matches!(c, '\t' | '\n' | '\r' | ' '..='\u{FFFD}' | '\u{10000}'..);
    text.chars().map(|c| if is_allowed(c) { c } else { '\u{FFFD}' }).collect()
}

fn check(element: &Element, tree: &Tree) {
    assert_eq!(&back(element), tree, "{element}");
    same(&element.as_child(), tree);
    assert_eq!(element.text(), tree.text());
    assert_eq!(element.children().count(), tree.elements().count());
    for (child, tree) in element.children().zip(tree.elements()) {
        same(&child, tree);
    }
    for ((namespace, name), value) in &tree.attributes {
        if namespace.is_empty() {
            assert_eq!(element.attribute(name).as_deref(), Some(&**value), "{name}: {element}");
        }
    }
    let lang = tree.attributes.get(&(XML_NS.to_owned(), "lang".to_owned()));
    assert_eq!(element.lang().as_deref(), lang.map(|lang| &**lang));
}

fn same(child: &Child<'_>, tree: &Tree) {
    assert_eq!((child.name(), child.namespace()), (&*tree.name, &*tree.namespace));
    assert_eq!(child.text(), tree.text());
    for ((namespace, name), value) in &tree.attributes {
        if namespace.is_empty() {
            assert_eq!(child.attribute(name).as_deref(), Some(&**value), "{name}");
        }
    }
    assert_eq!(child.children().count(), tree.elements().count());
    for (child, tree) in child.children().zip(tree.elements()) {
        same(&child, tree);
    }
}
