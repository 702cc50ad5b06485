//! The index of XML in normal form that this server wrote itself.

use std::{borrow::Cow, sync::Arc};

use super::{
    child::skip_content,
    element::{Element, KNOWN, Namespace, Node, RootIndex},
    escape,
    scope::STANZA_NS,
    tag::Span,
    walk::{Head, Token, Walk},
};

/// Makes an element of XML in normal form.
pub(super) fn index(mut xml: String) -> Element {
    let length = xml.len();
    let mut tail = String::new();
    let mut walk = Walk::new(&xml);
    let mut root = RootIndex::default();
    let mut nodes = Vec::new();
    if let Some(Token::Start(head)) = walk.next() {
        root = root_index(head, length, &mut tail);
        if !head.empty() {
            loop {
                let start = walk.position();
                match walk.next() {
                    Some(Token::Start(head)) => {
                        if !head.empty() {
                            skip_content(&mut walk);
                        }
                        nodes.push(Node {
                            whole: Span::new(start, walk.position()),
                            name_end: offset(start + 1 + head.name().len()),
                            head_end: offset(start + head.0.len()),
                            namespace: namespace(head, start, root.namespace, length, &mut tail),
                        });
                    }
                    Some(Token::Text(_) | Token::CData(_)) => {}
                    Some(Token::End) | None => break,
                }
            }
        }
    }
    xml.push_str(&tail);
    Element {
        buffer: Arc::from(xml),
        length: offset(length),
        index: root,
        children: (!nodes.is_empty()).then(|| Arc::from(nodes)),
    }
}

/// The index of a root's start tag at the beginning of the buffer.
pub(super) fn root_index(head: Head<'_>, length: usize, tail: &mut String) -> RootIndex {
    let mut known = [Span::default(); KNOWN.len()];
    for attribute in head.attributes() {
        remember(&mut known, attribute.name, attribute.value_start, attribute.raw.len());
    }
    RootIndex {
        name_end: offset(1 + head.name().len()),
        head_end: offset(head.0.len()),
        namespace: namespace(head, 0, Namespace::Stanza, length, tail),
        known,
    }
}

/// Keeps the place of an attribute's value if it is one that routing reads.
pub(super) fn remember(known: &mut [Span; KNOWN.len()], name: &str, start: usize, length: usize) {
    let at = KNOWN.iter().position(|known| *known == name);
    if let Some(slot) = at.and_then(|at| known.get_mut(at)) {
        *slot = Span::new(start, start + length);
    }
}

fn namespace(
    head: Head<'_>,
    start: usize,
    parent: Namespace,
    length: usize,
    tail: &mut String,
) -> Namespace {
    let Some(written) = head.attributes().find(|attribute| attribute.name == "xmlns") else {
        return parent;
    };
    match escape::attribute(written.raw) {
        plain if plain == STANZA_NS => Namespace::Stanza,
        Cow::Borrowed(plain) => {
            let at = start + written.value_start;
            Namespace::At(Span::new(at, at + plain.len()))
        }
        Cow::Owned(plain) => {
            let at = length + tail.len();
            tail.push_str(&plain);
            Namespace::At(Span::new(at, at + plain.len()))
        }
    }
}

pub(super) fn offset(at: usize) -> u32 {
    Span::new(at, at).start
}
