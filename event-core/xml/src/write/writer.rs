//! Writes normal form: no prefixes on elements, and `xmlns` only where the namespace changes.

use std::{borrow::Cow, cell::RefCell, sync::Arc};

use crate::{
    element::{
        Element,
        child::Child,
        index::{Known, Namespace, Node, RootIndex},
        walk::Head,
    },
    read::{chars, names},
    span::{Span, offset},
    stream::scope::{STANZA_NS, XML_NS},
    write::escape,
};

/// Writes one element and its index.
#[derive(Debug, Default)]
pub(crate) struct Writer {
    out: String,
    /// The open elements, outermost first.
    open: Vec<Open>,
    /// The namespaces of the open elements, concatenated.
    namespaces: String,
    /// Whether the start tag of the innermost element is still open for attributes.
    in_head: bool,
    /// The names of the attributes in that start tag.
    attributes: Vec<Span>,
    prefixes: usize,
    root: RootIndex,
    nodes: Vec<Node>,
    /// The unescaped form of namespaces that are escaped in the element.
    tail: String,
}

/// An element whose end tag has not been written.
#[derive(Debug, Clone, Copy)]
struct Open {
    name: Span,
    /// The position in `namespaces`.
    namespace: Span,
}

/// The initial size of a buffer in bytes, which is enough for a short answer.
const USUAL: usize = 320;

/// The number of writers that a thread keeps for reuse.
const SPARES: usize = 4;

/// The size in bytes up to which the buffers of a writer are kept for reuse.
const SPARE_BYTES: usize = 4096;

thread_local! {
    /// Writers for reuse, because the allocation of their buffers was a large part of the cost of
    /// an answer.
    #[expect(clippy::vec_box, reason = "writers are handed out in their boxes")]
    static SPARE: RefCell<Vec<Box<Writer>>> = const { RefCell::new(Vec::new()) };
}

impl Writer {
    // Boxed, because each method of the builder moves the writer.
    pub(crate) fn new() -> Box<Self> {
        let spare = SPARE.try_with(|spare| spare.borrow_mut().pop());
        spare.ok().flatten().unwrap_or_else(|| {
            Box::new(Self { out: String::with_capacity(USUAL), ..Self::default() })
        })
    }

    /// Reopens a finished element, to append about `more` bytes.
    pub(crate) fn reopen(element: &Element, more: usize) -> Box<Self> {
        let mut writer = Self::new();
        let out = &mut writer.out;
        out.reserve(element.buffer.len() + more);
        element.push_open_head(out);
        let head_end = offset(out.len());
        out.push_str(element.inner_str());
        let length = element.length;
        let marked = |mut namespace: Namespace| {
            namespace.mark_tail(length);
            namespace
        };
        writer.root =
            RootIndex { head_end, namespace: marked(element.index.namespace), ..element.index };
        writer.open.push(Open {
            name: Span { start: 1, end: element.index.name_end },
            namespace: Span::new(0, element.namespace().len()),
        });
        writer.namespaces.push_str(element.namespace());
        let nodes = element.nodes().iter();
        writer.nodes.extend(nodes.map(|node| Node { namespace: marked(node.namespace), ..*node }));
        writer.tail.push_str(element.buffer.get(length as usize..).unwrap_or_default());
        writer
    }

    pub(crate) fn start(&mut self, name: &str, namespace: &str) {
        debug_assert_eq!(names::odd_in_namespace(namespace), None, "not a URI: {namespace:?}");
        self.close_head();
        let inherits = self.within() == namespace;
        let start = self.out.len();
        self.out.push('<');
        self.out.push_str(&sound(name));
        let name = Span::new(start + 1, self.out.len());
        let kept = self.namespaces.len();
        self.namespaces.push_str(namespace);
        let kept = Span::new(kept, self.namespaces.len());
        self.open.push(Open { name, namespace: kept });
        self.in_head = true;
        self.attributes.clear();
        self.prefixes = 0;
        let place = match inherits {
            true => self.root.namespace,
            false => match self.push_attribute("xmlns", namespace) {
                _ if namespace == STANZA_NS || self.open.len() > 2 => Namespace::Stanza,
                Some((written, true)) => Namespace::At(written),
                _ => Namespace::in_tail(&mut self.tail, namespace),
            },
        };
        match self.open.len() {
            1 => (self.root.name_end, self.root.namespace) = (name.end, place),
            2 => {
                let whole = Span { start: name.start - 1, end: 0 };
                self.nodes.push(Node { whole, name_end: name.end, head_end: 0, namespace: place });
            }
            _ => {}
        }
    }

    /// Writes an attribute. Returns the position of the value, and whether the value has no
    /// escapes.
    fn push_attribute(&mut self, name: &str, value: &str) -> Option<(Span, bool)> {
        let is_name = |known: &Span| known.of(&self.out) == name;
        let is_sound = self.in_head && !self.attributes.iter().any(is_name);
        debug_assert!(is_sound, "attribute too late or given twice: {name}");
        if !is_sound {
            return None;
        }
        self.out.push(' ');
        let start = self.out.len();
        self.out.push_str(name);
        self.attributes.push(Span::new(start, self.out.len()));
        self.out.push_str("='");
        let start = self.out.len();
        escape::push_attribute(&mut self.out, value);
        let written = Span::new(start, self.out.len());
        self.out.push('\'');
        let is_plain = written.end() - start == value.len();
        if self.open.len() == 1
            && let Some(known) = Known::of(name)
        {
            self.root.remember(known, written, is_plain);
        }
        Some((written, is_plain))
    }

    /// Writes an attribute in no namespace, or one with the prefix `xml`.
    #[inline]
    pub(crate) fn attribute(&mut self, name: &str, value: &str) {
        match name.strip_prefix("xml:") {
            Some(local) => self.push_attribute(&format!("xml:{}", sound(local)), value),
            None => self.push_attribute(&sound(name), value),
        };
    }

    pub(crate) fn attribute_in(&mut self, namespace: &str, name: &str, value: &str) {
        match namespace {
            "" => self.attribute(name, value),
            XML_NS => {
                self.push_attribute(&format!("xml:{}", sound(name)), value);
            }
            _ => {
                let prefix = format!("ns{}", self.prefixes);
                self.prefixes += 1;
                self.push_attribute(&format!("xmlns:{prefix}"), namespace);
                self.push_attribute(&format!("{prefix}:{}", sound(name)), value);
            }
        }
    }

    pub(crate) fn text(&mut self, text: &str) {
        if text.is_empty() {
            return;
        }
        self.close_head();
        escape::push_text(&mut self.out, text);
    }

    /// Appends a finished element.
    pub(crate) fn child(&mut self, child: &Child<'_>) {
        self.close_head();
        let start = self.out.len();
        let within = self.open.last().map_or(STANZA_NS, |open| open.namespace.of(&self.namespaces));
        child.push_under(within, &mut self.out);
        if self.open.len() != 1 {
            return;
        }
        // Only the start tag can differ from the bytes of `child`.
        let written = self.out.len() - start;
        let head_end = start + written - (child.xml.len() - child.head_length);
        let head = Head(self.out.get(start..head_end).unwrap_or_default());
        self.nodes.push(Node {
            whole: Span::new(start, self.out.len()),
            name_end: offset(start + 1 + child.name_length),
            head_end: offset(head_end),
            namespace: Namespace::declared(head, start, self.root.namespace, &mut self.tail),
        });
    }

    /// The namespace of the innermost open element.
    fn within(&self) -> &str {
        self.open.last().map_or(STANZA_NS, |open| open.namespace.of(&self.namespaces))
    }

    pub(crate) fn end(&mut self) {
        let Some(open) = self.open.pop() else {
            return;
        };
        self.namespaces.truncate(open.namespace.start());
        if self.in_head {
            self.out.push_str("/>");
            self.note_head_end(self.open.len());
        } else {
            self.out.push_str("</");
            self.out.extend_from_within(open.name.start()..open.name.end());
            self.out.push('>');
        }
        if self.open.len() == 1
            && let Some(node) = self.nodes.last_mut()
        {
            node.whole.end = offset(self.out.len());
        }
    }

    fn close_head(&mut self) {
        if self.in_head {
            self.out.push('>');
            self.note_head_end(self.open.len() - 1);
        }
    }

    /// Puts the end of the start tag at this depth into the index.
    fn note_head_end(&mut self, depth: usize) {
        self.in_head = false;
        let end = offset(self.out.len());
        match depth {
            0 => self.root.head_end = end,
            1 => {
                if let Some(node) = self.nodes.last_mut() {
                    node.head_end = end;
                }
            }
            _ => {}
        }
    }

    pub(crate) fn finish(mut self: Box<Self>) -> Element {
        while !self.open.is_empty() {
            self.end();
        }
        let length = self.out.len();
        self.out.push_str(&self.tail);
        self.root.namespace.place_tail(length);
        self.nodes.iter_mut().for_each(|node| node.namespace.place_tail(length));
        let element = Element {
            buffer: Arc::from(self.out.as_str()),
            length: offset(length),
            index: self.root,
            children: (!self.nodes.is_empty()).then(|| Arc::from(self.nodes.as_slice())),
        };
        self.keep();
        element
    }

    /// Keeps the buffers for reuse.
    fn keep(mut self: Box<Self>) {
        let Self { out, open, namespaces, in_head, attributes, prefixes, root, nodes, tail } =
            &mut *self;
        if out.capacity().max(nodes.capacity() * size_of::<Node>()) > SPARE_BYTES {
            return;
        }
        out.clear();
        open.clear();
        namespaces.clear();
        attributes.clear();
        nodes.clear();
        tail.clear();
        (*in_head, *prefixes, *root) = (false, 0, RootIndex::default());
        // `try_with` fails while the thread ends.
        let _ = SPARE.try_with(|spare| {
            let mut spare = spare.borrow_mut();
            if spare.len() < SPARES {
                spare.push(self);
            }
        });
    }
}

/// Returns the name if it is valid, else `_`.
#[inline]
pub(crate) fn sound(name: &str) -> Cow<'_, str> {
    let is_name = chars::is_ncname(name);
    debug_assert!(is_name, "not a name: {name:?}");
    Cow::Borrowed(if is_name && name != "xmlns" { name } else { "_" })
}
