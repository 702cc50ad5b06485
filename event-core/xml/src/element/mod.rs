//! An element that stands alone: its bytes and a small index of them.

pub(crate) mod child;
pub(crate) mod edit;
pub(crate) mod index;
pub(crate) mod walk;

use std::{borrow::Cow, fmt, sync::Arc};

use bytes::Bytes;

use crate::{
    element::{child::Child, walk::Head},
    error::XmlError,
    limits::Limits,
    read::{start_tag::Span, strict},
    stream::scope::{STANZA_NS, Scope},
    write::escape,
};

/// An immutable element, cheap to clone and to write to any stream.
///
/// Its bytes are in a normal form: no element has a prefix, and the namespace of each is that of
/// the nearest `xmlns`. The stanza namespace `jabber:client` stands for the content namespace of
/// whichever stream the element came by or goes to, so a root in it carries no `xmlns`.
#[derive(Clone)]
pub struct Element {
    /// The element, and after it namespaces whose written form is escaped.
    pub(crate) buffer: Arc<str>,
    /// Where the element ends in the buffer.
    pub(crate) length: u32,
    pub(crate) index: RootIndex,
    /// Direct children, `None` instead of an allocation when there is none.
    pub(crate) children: Option<Arc<[Node]>>,
}

/// What is known of the root's start tag.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct RootIndex {
    pub(crate) name_end: u32,
    /// After the `>` of the start tag.
    pub(crate) head_end: u32,
    pub(crate) namespace: Namespace,
    /// The values of the attributes that routing reads, as written. Zero: not there.
    pub(crate) values: [Span; Known::COUNT],
    /// Which of them stand for something else than what is written.
    pub(crate) escaped: [bool; Known::COUNT],
}

/// The attributes whose place the index keeps.
#[derive(Debug, Clone, Copy)]
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
    pub(crate) fn remember(&mut self, known: Known, value: Span, is_plain: bool) {
        if let Some(slot) = self.values.get_mut(known as usize) {
            *slot = value;
        }
        if let Some(slot) = self.escaped.get_mut(known as usize) {
            *slot = !is_plain;
        }
    }

    /// Where a value is.
    pub(crate) fn place(&self, known: Known) -> Option<Span> {
        self.values.get(known as usize).copied().filter(|span| span.start != 0)
    }

    fn is_escaped(&self, known: Known) -> bool {
        self.escaped.get(known as usize).is_some_and(|&is_escaped| is_escaped)
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

/// Where the characters of a namespace are in the buffer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Namespace {
    /// `jabber:client`, which is not written.
    #[default]
    Stanza,
    At(Span),
}

impl Namespace {
    pub(crate) fn of(self, buffer: &str) -> &str {
        match self {
            Self::Stanza => STANZA_NS,
            Self::At(span) => span.of(buffer),
        }
    }

    /// Puts the characters of a namespace whose written form is escaped into the tail. Where that
    /// begins is known only at the end: until [`Namespace::place_tail`] the place is marked.
    pub(crate) fn in_tail(tail: &mut String, namespace: &str) -> Self {
        let start = tail.len();
        tail.push_str(namespace);
        let span = Span::new(start, tail.len());
        Self::At(Span { start: span.start | IN_TAIL, end: span.end | IN_TAIL })
    }

    /// Turns a marked place into one in the buffer, where the tail begins at `length`.
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
}

/// Marks a position counted from the tail.
const IN_TAIL: u32 = 1 << 31;

impl Element {
    /// Reads one frame of a stream.
    ///
    /// # Errors
    ///
    /// Whatever RFC 6120 section 11, XML 1.0, its namespaces or the limits forbid.
    pub fn parse(bytes: &[u8], scope: &Scope, limits: &Limits) -> Result<Self, XmlError> {
        strict::parse(bytes, scope, limits, None)
    }

    /// As [`Element::parse`]; a stanza's `from` becomes this address (RFC 6120 §8.1.2.1), for less
    /// than setting it afterwards would cost.
    ///
    /// # Errors
    ///
    /// As [`Element::parse`].
    pub fn parse_from(
        bytes: &[u8],
        scope: &Scope,
        limits: &Limits,
        from: &str,
    ) -> Result<Self, XmlError> {
        strict::parse(bytes, scope, limits, Some(from))
    }

    /// Reads the element that `text` begins with, and says how long it is; `None` when it is not
    /// there as a whole, or is not sound. What is wrong with it [`Framer`](crate::Framer) and
    /// [`Element::parse`] find out: this is for the many elements that nothing is wrong with, and
    /// spares looking for their end first. `from` is as in [`Element::parse_from`].
    ///
    /// ```
    /// # use xmpp_xml::{Element, Limits, Scope};
    /// let text = "<message to='juliet@example.com'/><mess";
    /// let first = Element::parse_first(text, &Scope::default(), &Limits::default(), None);
    /// let (message, length) = first.unwrap();
    /// assert_eq!(message.to_string(), "<message to='juliet@example.com'/>");
    /// assert_eq!(&text[length..], "<mess");
    /// ```
    #[must_use]
    pub fn parse_first(
        text: &str,
        scope: &Scope,
        limits: &Limits,
        from: Option<&str>,
    ) -> Option<(Self, usize)> {
        strict::parse_first(text, scope, limits, from)
    }

    pub(crate) fn xml(&self) -> &str {
        self.buffer.get(..self.length as usize).unwrap_or_default()
    }

    pub(crate) fn head(&self) -> Head<'_> {
        Head(self.buffer.get(..self.index.head_end as usize).unwrap_or_default())
    }

    pub(crate) fn nodes(&self) -> &[Node] {
        self.children.as_deref().unwrap_or_default()
    }

    /// The local name of the root.
    #[must_use]
    pub fn name(&self) -> &str {
        self.buffer.get(1..self.index.name_end as usize).unwrap_or_default()
    }

    /// The namespace of the root; `jabber:client` for a stanza of any kind of stream.
    #[must_use]
    pub fn namespace(&self) -> &str {
        self.index.namespace.of(&self.buffer)
    }

    /// Whether the root has this name and namespace.
    #[must_use]
    pub fn is(&self, name: &str, namespace: &str) -> bool {
        self.name() == name && self.namespace() == namespace
    }

    /// The value of an attribute of the root that is in no namespace.
    #[inline]
    #[must_use]
    pub fn attribute(&self, name: &str) -> Option<Cow<'_, str>> {
        match Known::of(name) {
            Some(known) => self.known(known),
            None if name == "xmlns" => None,
            None => self.head().attribute(name),
        }
    }

    fn known(&self, known: Known) -> Option<Cow<'_, str>> {
        let raw = self.index.place(known)?.of(&self.buffer);
        match self.index.is_escaped(known) {
            false => Some(Cow::Borrowed(raw)),
            true => Some(escape::attribute(raw)),
        }
    }

    /// The root's own `xml:lang`.
    #[must_use]
    pub fn lang(&self) -> Option<Cow<'_, str>> {
        self.attribute("xml:lang")
    }

    /// The attributes of the root that are in no namespace, and `xml:` ones.
    pub fn attributes(&self) -> impl Iterator<Item = (&str, Cow<'_, str>)> {
        self.head()
            .attributes()
            .filter(|attribute| child::plain(attribute.name))
            .map(|attribute| (attribute.name, escape::attribute(attribute.raw)))
    }

    /// The direct child elements in document order.
    pub fn children(&self) -> impl DoubleEndedIterator<Item = Child<'_>> {
        self.nodes().iter().map(|node| self.view(node))
    }

    pub(crate) fn view(&self, node: &Node) -> Child<'_> {
        let start = node.whole.start();
        Child {
            xml: node.whole.of(&self.buffer),
            name_length: node.name_end as usize - start - 1,
            head_length: node.head_end as usize - start,
            namespace: Cow::Borrowed(node.namespace.of(&self.buffer)),
            lang: self.head_lang(),
        }
    }

    fn head_lang(&self) -> Option<&str> {
        self.index.place(Known::Lang).map(|span| span.of(&self.buffer))
    }

    /// Namespace and name of the first direct child: what an iq is about.
    #[must_use]
    pub fn payload_name(&self) -> Option<(&str, &str)> {
        let node = self.nodes().first()?;
        let name = node.whole.start() + 1..node.name_end as usize;
        Some((node.namespace.of(&self.buffer), self.buffer.get(name)?))
    }

    /// The first direct child with this name and namespace.
    #[must_use]
    pub fn child(&self, name: &str, namespace: &str) -> Option<Child<'_>> {
        self.children().find(|child| child.is(name, namespace))
    }

    /// The first direct child.
    #[must_use]
    pub fn first_child(&self) -> Option<Child<'_>> {
        self.children().next()
    }

    /// The text directly in the root, without that of its children.
    #[must_use]
    pub fn text(&self) -> Cow<'_, str> {
        child::direct_text(self.inner_str())
    }

    /// The element as a child would be seen.
    #[must_use]
    pub fn as_child(&self) -> Child<'_> {
        Child {
            xml: self.xml(),
            name_length: self.name().len(),
            head_length: self.index.head_end as usize,
            namespace: Cow::Borrowed(self.namespace()),
            lang: None,
        }
    }

    /// The bytes between the root's start and end tag, for a root that is written by hand.
    #[must_use]
    pub fn inner(&self) -> &[u8] {
        self.inner_str().as_bytes()
    }

    pub(crate) fn inner_str(&self) -> &str {
        child::inner(self.xml(), self.index.head_end as usize)
    }

    /// The bytes to write to a stream.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.xml().as_bytes()
    }

    /// The bytes to write to a stream, shared with this element.
    #[must_use]
    pub fn to_bytes(&self) -> Bytes {
        let shared: Arc<[u8]> = Arc::clone(&self.buffer).into();
        let mut bytes = Bytes::from_owner(shared);
        bytes.truncate(self.length as usize);
        bytes
    }
}

impl fmt::Display for Element {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.xml())
    }
}

impl fmt::Debug for Element {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Element({})", self.xml())
    }
}

/// Two elements are equal when their bytes are; the same tree may be written differently.
impl PartialEq for Element {
    fn eq(&self, other: &Self) -> bool {
        self.xml() == other.xml()
    }
}

impl Eq for Element {}
