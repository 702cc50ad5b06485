//! An element: its bytes and a small index.

pub(crate) mod child;
pub(crate) mod edit;
pub(crate) mod index;
pub(crate) mod walk;

use std::{borrow::Cow, fmt, sync::Arc};

use bytes::Bytes;

use crate::{
    element::{
        child::Child,
        index::{Known, Node, RootIndex},
        walk::Head,
    },
    span::offset,
    stream::scope::STANZA_NS,
    write::escape,
};

/// An element that is cheap to clone and to write to any stream. Clones share the bytes; an edit
/// makes a copy.
///
/// The bytes are in a normal form: no element has a prefix, and the namespace of each element is
/// the value of the nearest `xmlns`. [`STANZA_NS`] stands for the content namespace of every
/// stream. A root in that namespace has no `xmlns`, so that the same bytes can be written to all
/// streams.
#[derive(Clone)]
pub struct Element {
    /// The element, followed by the tail: the unescaped form of the element's escaped namespaces.
    pub(crate) buffer: Arc<str>,
    /// The length of the element, without the tail.
    pub(crate) length: u32,
    pub(crate) index: RootIndex,
    /// The direct children; `None` if there are none, which saves an allocation.
    pub(crate) children: Option<Arc<[Node]>>,
}

impl Element {
    /// Indexes an element in normal form.
    pub(crate) fn indexed(mut xml: String) -> Self {
        let mut tail = String::new();
        let (mut root, mut nodes) = index::index(&xml, &mut tail);
        let length = xml.len();
        xml.push_str(&tail);
        root.namespace.place_tail(length);
        nodes.iter_mut().for_each(|node| node.namespace.place_tail(length));
        Self {
            buffer: Arc::from(xml),
            length: offset(length),
            index: root,
            children: (!nodes.is_empty()).then(|| Arc::from(nodes)),
        }
    }

    #[inline]
    pub(crate) fn xml(&self) -> &str {
        self.buffer.get(..self.length as usize).unwrap_or_default()
    }

    pub(crate) fn head(&self) -> Head<'_> {
        Head(self.buffer.get(..self.index.head_end as usize).unwrap_or_default())
    }

    /// Writes the start tag, without the `/` of an empty element.
    pub(crate) fn push_open_head(&self, out: &mut String) {
        let head = self.head().0;
        match head.strip_suffix("/>") {
            Some(open) => {
                out.push_str(open);
                out.push('>');
            }
            None => out.push_str(head),
        }
    }

    #[inline]
    pub(crate) fn nodes(&self) -> &[Node] {
        self.children.as_deref().unwrap_or_default()
    }

    /// The bytes of memory that this element keeps, with the index of its children.
    #[must_use]
    pub fn memory(&self) -> usize {
        self.buffer.len() + size_of_val(self.nodes())
    }

    /// The local name of the root.
    #[inline]
    #[must_use]
    pub fn name(&self) -> &str {
        self.buffer.get(1..self.index.name_end as usize).unwrap_or_default()
    }

    /// The namespace of the root; [`STANZA_NS`] for the content namespace of any stream.
    #[inline]
    #[must_use]
    pub fn namespace(&self) -> &str {
        self.index.namespace.of(&self.buffer)
    }

    /// Whether the root has this name and namespace.
    #[inline]
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

    #[inline]
    fn known(&self, known: Known) -> Option<Cow<'_, str>> {
        let raw = self.index.place(known)?.of(&self.buffer);
        match self.index.is_escaped(known) {
            false => Some(Cow::Borrowed(raw)),
            true => Some(escape::attribute(raw)),
        }
    }

    /// The `xml:lang` attribute of the root.
    #[inline]
    #[must_use]
    pub fn lang(&self) -> Option<Cow<'_, str>> {
        self.attribute("xml:lang")
    }

    /// The attributes of the root that are in no namespace or have the prefix `xml`.
    pub fn attributes(&self) -> impl Iterator<Item = (&str, Cow<'_, str>)> {
        self.head()
            .attributes()
            .filter(|attribute| child::plain(attribute.name))
            .map(|attribute| (attribute.name, escape::attribute(attribute.raw)))
    }

    /// The direct child elements in document order.
    #[inline]
    pub fn children(&self) -> impl DoubleEndedIterator<Item = Child<'_>> {
        self.nodes().iter().map(|node| self.view(node))
    }

    #[inline]
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

    #[inline]
    fn head_lang(&self) -> Option<&str> {
        self.index.place(Known::Lang).map(|span| span.of(&self.buffer))
    }

    /// The namespace and name of the first direct child.
    #[inline]
    #[must_use]
    pub fn payload_name(&self) -> Option<(&str, &str)> {
        let node = self.nodes().first()?;
        let name = node.whole.start() + 1..node.name_end as usize;
        Some((node.namespace.of(&self.buffer), self.buffer.get(name)?))
    }

    /// The first direct child with this name and namespace.
    #[inline]
    #[must_use]
    pub fn child(&self, name: &str, namespace: &str) -> Option<Child<'_>> {
        self.children().find(|child| child.is(name, namespace))
    }

    /// The first direct child.
    #[inline]
    #[must_use]
    pub fn first_child(&self) -> Option<Child<'_>> {
        self.children().next()
    }

    /// The text directly in the root, without the text of its children.
    #[must_use]
    pub fn text(&self) -> Cow<'_, str> {
        child::direct_text(self.inner_str())
    }

    /// A view of the element.
    #[inline]
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

    /// The bytes between the start tag and the end tag, for a caller that writes another root.
    #[must_use]
    pub fn inner(&self) -> &[u8] {
        self.inner_str().as_bytes()
    }

    pub(crate) fn inner_str(&self) -> &str {
        child::inner(self.xml(), self.index.head_end as usize)
    }

    /// The bytes to write to a stream.
    #[inline]
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

impl Child<'_> {
    /// Copies the child into an [`Element`], with an `xmlns` if the namespace was inherited.
    #[must_use]
    pub fn to_element(&self) -> Element {
        let mut out = String::with_capacity(self.xml.len() + 64);
        self.push_under(STANZA_NS, &mut out);
        Element::indexed(out)
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

/// Compares the bytes. Trees that are equal but written differently are not equal.
impl PartialEq for Element {
    fn eq(&self, other: &Self) -> bool {
        self.xml() == other.xml()
    }
}

impl Eq for Element {}
