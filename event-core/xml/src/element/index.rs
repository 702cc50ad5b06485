//! The index of XML in normal form that this server wrote itself.

use std::{borrow::Cow, sync::Arc};

use crate::{
    element::{
        Element, Known, Namespace, Node, RootIndex,
        child::skip_content,
        walk::{Head, Token, Walk},
    },
    read::start_tag::Span,
    stream::scope::STANZA_NS,
    write::escape,
};

/// Makes an element of XML in normal form.
pub(crate) fn index(mut xml: String) -> Element {
    let mut tail = String::new();
    let mut walk = Walk::new(&xml);
    let mut root = RootIndex::default();
    let mut nodes = Vec::new();
    if let Some(Token::Start(head)) = walk.next() {
        root = root_index(head, &mut tail);
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
                            namespace: namespace(head, start, root.namespace, &mut tail),
                        });
                    }
                    Some(Token::Text(_) | Token::CData(_)) => {}
                    Some(Token::End) | None => break,
                }
            }
        }
    }
    let length = xml.len();
    xml.push_str(&tail);
    root.namespace.place_tail(length);
    nodes.iter_mut().for_each(|node| node.namespace.place_tail(length));
    Element {
        buffer: Arc::from(xml),
        length: offset(length),
        index: root,
        children: (!nodes.is_empty()).then(|| Arc::from(nodes)),
    }
}

/// The index of a root's start tag at the beginning of the buffer. A place in the tail is marked.
pub(crate) fn root_index(head: Head<'_>, tail: &mut String) -> RootIndex {
    let mut root = RootIndex {
        name_end: offset(1 + head.name().len()),
        head_end: offset(head.0.len()),
        namespace: namespace(head, 0, Namespace::Stanza, tail),
        ..RootIndex::default()
    };
    for attribute in head.attributes() {
        if let Some(known) = Known::of(attribute.name) {
            let end = attribute.value_start + attribute.raw.len();
            let is_plain = escape::is_plain(attribute.raw);
            root.remember(known, Span::new(attribute.value_start, end), is_plain);
        }
    }
    root
}

/// The namespace that the start tag at `start` says, or that of its parent. A place in the tail is
/// marked.
pub(crate) fn namespace(
    head: Head<'_>,
    start: usize,
    parent: Namespace,
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
        Cow::Owned(plain) => Namespace::in_tail(tail, &plain),
    }
}

pub(crate) fn offset(at: usize) -> u32 {
    Span::new(at, at).start
}
