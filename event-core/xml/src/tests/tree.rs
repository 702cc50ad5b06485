//! A tree built from the events of `rxml`, with which elements are compared.

use std::collections::BTreeMap;

use rxml::{Event, Parse, Parser};

use crate::{Element, stream::scope::CONTENT};

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Tree {
    pub(super) namespace: String,
    pub(super) name: String,
    pub(super) attributes: BTreeMap<(String, String), String>,
    pub(super) nodes: Vec<Node>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Node {
    Element(Tree),
    Text(String),
}

impl Tree {
    pub(super) fn push_text(&mut self, text: &str) {
        if let Some(Node::Text(last)) = self.nodes.last_mut() {
            last.push_str(text);
        } else if !text.is_empty() {
            self.nodes.push(Node::Text(text.to_owned()));
        }
    }

    pub(super) fn elements(&self) -> impl Iterator<Item = &Tree> {
        self.nodes.iter().filter_map(|node| match node {
            Node::Element(tree) => Some(tree),
            Node::Text(_) => None,
        })
    }

    pub(super) fn text(&self) -> String {
        let texts = self.nodes.iter().filter_map(|node| match node {
            Node::Element(_) => None,
            Node::Text(text) => Some(text.as_str()),
        });
        texts.collect()
    }

    /// Replaces the content namespaces by `jabber:client`, as normal form does.
    pub(super) fn normal(mut self) -> Self {
        if CONTENT.contains(&self.namespace.as_str()) {
            "jabber:client".clone_into(&mut self.namespace);
        }
        for node in &mut self.nodes {
            if let Node::Element(tree) = node {
                *tree = tree.clone().normal();
            }
        }
        self
    }

    pub(super) fn without(mut self, keep: impl Fn(&Tree) -> bool) -> Self {
        let nodes = std::mem::take(&mut self.nodes);
        for node in nodes {
            match node {
                Node::Element(tree) if keep(&tree) => self.nodes.push(Node::Element(tree)),
                Node::Element(_) => {}
                Node::Text(text) => self.push_text(&text),
            }
        }
        self
    }
}

/// Normalises line ends (XML 1.0 section 2.11), because `rxml` does not in all CDATA sections.
fn line_ends(document: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(document.len());
    let mut bytes = document.iter().copied().peekable();
    while let Some(byte) = bytes.next() {
        if byte == b'\r' {
            bytes.next_if_eq(&b'\n');
            out.push(b'\n');
        } else {
            out.push(byte);
        }
    }
    out
}

/// Reads the element between a start tag and an end tag with `rxml`.
pub(super) fn read(opening: &str, xml: &[u8], closing: &str) -> Result<Tree, String> {
    let mut parser = Parser::new();
    let document = line_ends(&[opening.as_bytes(), xml, closing.as_bytes()].concat());
    let mut rest = document.as_slice();
    let mut open: Vec<Tree> = Vec::new();
    loop {
        let event = match parser.parse(&mut rest, true) {
            Ok(Some(event)) => event,
            Ok(None) => break,
            Err(error) => return Err(format!("{error:?}")),
        };
        match event {
            Event::XmlDeclaration(..) => return Err("declaration".to_owned()),
            Event::StartElement(_, (namespace, name), attributes) => open.push(Tree {
                namespace: namespace.to_string(),
                name: name.to_string(),
                attributes: attributes
                    .iter()
                    .map(|((ns, name), value)| ((ns.to_string(), name.to_string()), value.clone()))
                    .collect(),
                nodes: Vec::new(),
            }),
            Event::Text(_, text) => {
                if let Some(tree) = open.last_mut() {
                    tree.push_text(&text);
                }
            }
            Event::EndElement(_) => {
                let tree = open.pop().unwrap();
                match open.last_mut() {
                    Some(parent) => parent.nodes.push(Node::Element(tree)),
                    None if opening.is_empty() => return Ok(tree),
                    None => {
                        return match tree.nodes.as_slice() {
                            [Node::Element(one)] => Ok(one.clone()),
                            _ => Err("not one element".to_owned()),
                        };
                    }
                }
            }
        }
    }
    Err("no end".to_owned())
}

/// Reads an element's bytes as on a client stream.
pub(super) fn back(element: &Element) -> Tree {
    read("<s xmlns='jabber:client'>", element.as_bytes(), "</s>")
        .unwrap_or_else(|error| panic!("{error}: {element}"))
}

/// The start tag of a stream with this scope.
pub(super) fn opening(content: &str, prefixes: &[(&str, &str)]) -> String {
    let mut out = format!("<s xmlns='{content}'");
    for (prefix, namespace) in prefixes {
        out.push_str(&format!(" xmlns:{prefix}='{namespace}'"));
    }
    out.push('>');
    out
}
