//! The index of an element: where its name, its common attributes and its children are.

use std::borrow::Cow;

use crate::{
    element::walk::{Head, Token, Walk},
    span::{Span, offset},
    stream::scope::STANZA_NS,
    write::escape,
};

/// Where the parts of the root's start tag are.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct RootIndex {
    pub(crate) name_end: u32,
    /// After the `>` of the start tag.
    pub(crate) head_end: u32,
    pub(crate) namespace: Namespace,
    /// The values of the common attributes, as written. A start of zero means: no such attribute.
    pub(crate) values: [Span; Known::COUNT],
    /// Which of the values contain references or white space to normalise.
    pub(crate) escaped: [bool; Known::COUNT],
}

/// The common attributes (RFC 6120 section 8.1). The index keeps their places, because they are
/// read most often; the crate gives none of them a meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Known {
    To,
    From,
    Id,
    Type,
    Lang,
}

impl Known {
    const COUNT: usize = 5;

    #[inline]
    pub(crate) fn of(name: &str) -> Option<Self> {
        match name {
            "to" => Some(Self::To),
            "from" => Some(Self::From),
            "id" => Some(Self::Id),
            "type" => Some(Self::Type),
            "xml:lang" => Some(Self::Lang),
            _ => None,
        }
    }
}

impl RootIndex {
    /// Keeps the place of a value.
    #[inline]
    pub(crate) fn remember(&mut self, known: Known, value: Span, is_plain: bool) {
        if let Some(slot) = self.values.get_mut(known as usize) {
            *slot = value;
        }
        if let Some(slot) = self.escaped.get_mut(known as usize) {
            *slot = !is_plain;
        }
    }

    /// The place of a value.
    #[inline]
    pub(crate) fn place(&self, known: Known) -> Option<Span> {
        self.values.get(known as usize).copied().filter(|span| span.start != 0)
    }

    #[inline]
    pub(crate) fn is_escaped(&self, known: Known) -> bool {
        self.escaped.get(known as usize).is_some_and(|&is_escaped| is_escaped)
    }

    /// The index of the start tag that the buffer begins with. Escaped namespaces go to `tail`.
    pub(crate) fn of(head: Head<'_>, tail: &mut String) -> Self {
        let mut root = Self {
            name_end: offset(1 + head.name().len()),
            head_end: offset(head.0.len()),
            namespace: Namespace::declared(head, 0, Namespace::Stanza, tail),
            ..Self::default()
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
}

/// Where a direct child is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Node {
    pub(crate) whole: Span,
    pub(crate) name_end: u32,
    pub(crate) head_end: u32,
    pub(crate) namespace: Namespace,
}

impl Node {
    pub(crate) fn moved(self, moved: impl Fn(u32) -> u32) -> Self {
        Self {
            whole: self.whole.moved(&moved),
            name_end: moved(self.name_end),
            head_end: moved(self.head_end),
            namespace: self.namespace.moved(moved),
        }
    }
}

/// Where the characters of a namespace are in the buffer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Namespace {
    /// [`STANZA_NS`], which is not written.
    #[default]
    Stanza,
    At(Span),
}

impl Namespace {
    #[inline]
    pub(crate) fn of(self, buffer: &str) -> &str {
        match self {
            Self::Stanza => STANZA_NS,
            Self::At(span) => span.of(buffer),
        }
    }

    /// The namespace that the start tag at `start` declares, or that of its parent. An escaped one
    /// goes to `tail`.
    pub(crate) fn declared(head: Head<'_>, start: usize, parent: Self, tail: &mut String) -> Self {
        let Some(written) = head.attributes().find(|attribute| attribute.name == "xmlns") else {
            return parent;
        };
        match escape::attribute(written.raw) {
            plain if plain == STANZA_NS => Self::Stanza,
            Cow::Borrowed(plain) => {
                let at = start + written.value_start;
                Self::At(Span::new(at, at + plain.len()))
            }
            Cow::Owned(plain) => Self::in_tail(tail, &plain),
        }
    }

    /// Appends the characters of an escaped namespace to the tail. The tail's position is known
    /// only when the element is complete: until [`Namespace::place_tail`] the place is marked.
    pub(crate) fn in_tail(tail: &mut String, namespace: &str) -> Self {
        let start = tail.len();
        tail.push_str(namespace);
        let span = Span::new(start, tail.len());
        Self::At(Span { start: span.start | IN_TAIL, end: span.end | IN_TAIL })
    }

    /// Turns a marked place into one in the buffer, where the tail begins at `length`.
    #[inline]
    pub(crate) fn place_tail(&mut self, length: usize) {
        if let Self::At(span) = self
            && span.start & IN_TAIL != 0
        {
            let start = length + (span.start & !IN_TAIL) as usize;
            *span = Span::new(start, length + (span.end & !IN_TAIL) as usize);
        }
    }

    /// The reverse of [`Namespace::place_tail`].
    pub(crate) fn mark_tail(&mut self, length: u32) {
        if let Self::At(span) = self
            && span.start >= length
        {
            *span =
                Span { start: (span.start - length) | IN_TAIL, end: (span.end - length) | IN_TAIL };
        }
    }

    pub(crate) fn moved(self, moved: impl Fn(u32) -> u32) -> Self {
        match self {
            Self::Stanza => Self::Stanza,
            Self::At(span) => Self::At(span.moved(moved)),
        }
    }
}

/// Marks a position counted from the start of the tail.
const IN_TAIL: u32 = 1 << 31;

/// The index of an element in normal form. Places in the tail are marked.
pub(crate) fn index(xml: &str, tail: &mut String) -> (RootIndex, Vec<Node>) {
    let mut walk = Walk::new(xml);
    let mut nodes = Vec::new();
    let Some(Token::Start(head)) = walk.next() else { return (RootIndex::default(), nodes) };
    let root = RootIndex::of(head, tail);
    if head.empty() {
        return (root, nodes);
    }
    loop {
        let start = walk.position();
        match walk.next() {
            Some(Token::Start(head)) => {
                walk.skip_content(head);
                nodes.push(Node {
                    whole: Span::new(start, walk.position()),
                    name_end: offset(start + 1 + head.name().len()),
                    head_end: offset(start + head.0.len()),
                    namespace: Namespace::declared(head, start, root.namespace, tail),
                });
            }
            Some(Token::Text(_) | Token::CData(_)) => {}
            Some(Token::End) | None => return (root, nodes),
        }
    }
}
