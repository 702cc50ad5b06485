//! The index of an element: the positions of the name, the common attributes and the children.

use std::borrow::Cow;

use crate::{
    element::walk::{Head, Token, Walk},
    span::{Span, offset},
    stream::scope::STANZA_NS,
    write::escape,
};

/// The positions of the parts of the root's start tag.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct RootIndex {
    pub(crate) name_end: u32,
    /// The position after the `>` of the start tag.
    pub(crate) head_end: u32,
    pub(crate) namespace: Namespace,
    /// The positions of the common attributes' values. A start of zero means: no such attribute.
    pub(crate) values: [Span; Known::COUNT],
    /// Whether each value contains references, or white space to normalise.
    pub(crate) escaped: [bool; Known::COUNT],
}

/// The common attributes (RFC 6120 section 8.1). The index has their positions, because they are
/// read most often. The crate does not interpret the values.
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
    /// Stores the position of a value.
    #[inline]
    pub(crate) fn remember(&mut self, known: Known, value: Span, is_plain: bool) {
        if let Some(slot) = self.values.get_mut(known as usize) {
            *slot = value;
        }
        if let Some(slot) = self.escaped.get_mut(known as usize) {
            *slot = !is_plain;
        }
    }

    /// The position of a value.
    #[inline]
    pub(crate) fn place(&self, known: Known) -> Option<Span> {
        self.values.get(known as usize).copied().filter(|span| span.start != 0)
    }

    #[inline]
    pub(crate) fn is_escaped(&self, known: Known) -> bool {
        self.escaped.get(known as usize).is_some_and(|&is_escaped| is_escaped)
    }

    /// Indexes the start tag at the start of the buffer. An escaped namespace is appended to
    /// `tail`.
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

/// The positions of a direct child.
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

/// The position of a namespace in the buffer.
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

    /// The namespace that the start tag at `start` declares, or else the namespace of the parent.
    /// An escaped namespace is appended to `tail`.
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

    /// Appends the characters of an escaped namespace to the tail. The position of the tail is
    /// known only when the element is complete; until [`Namespace::place_tail`], the result is
    /// relative to the tail and marked.
    pub(crate) fn in_tail(tail: &mut String, namespace: &str) -> Self {
        let start = tail.len();
        tail.push_str(namespace);
        let span = Span::new(start, tail.len());
        Self::At(Span { start: span.start | IN_TAIL, end: span.end | IN_TAIL })
    }

    /// Converts a marked position into a position in the buffer, in which the tail begins at
    /// `length`.
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

/// The bit that marks a position relative to the tail.
const IN_TAIL: u32 = 1 << 31;

/// Indexes an element in normal form. Positions in the tail are marked.
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
