//! Writing normal form: no prefixes on elements, and `xmlns` only where the namespace changes.

use std::{borrow::Cow, cell::RefCell, sync::Arc};

use crate::{
    element::{
        Element,
        child::Child,
        index::{Known, Namespace, Node, RootIndex},
        walk::Head,
    },
    read::chars,
    span::{Span, offset},
    stream::scope::{STANZA_NS, XML_NS},
    write::escape,
};

/// Writes one element, and its index while it does.
#[derive(Debug, Default)]
pub(crate) struct Writer {
    out: String,
    /// The elements open, outermost first.
    open: Vec<Open>,
    /// Their namespaces, one after the other.
    namespaces: String,
    /// Whether the start tag of the last of them can still take attributes.
    in_head: bool,
    /// The names of the attributes that it has.
    attributes: Vec<Span>,
    prefixes: usize,
    root: RootIndex,
    nodes: Vec<Node>,
    /// Namespaces whose written form is escaped.
    tail: String,
}

/// An element whose end tag has not been written.
#[derive(Debug, Clone, Copy)]
struct Open {
    name: Span,
    /// Its place among the namespaces.
    namespace: Span,
}

/// What an answer or a presence fits in.
const USUAL: usize = 320;

/// A thread keeps so many writers, and none with more memory for bytes than this.
const SPARES: usize = 4;
const SPARE_BYTES: usize = 4096;

thread_local! {
    /// Writers that have finished: taking their memory anew was a good part of an answer.
    #[expect(clippy::vec_box, reason = "they are handed out in their boxes")]
    static SPARE: RefCell<Vec<Box<Writer>>> = const { RefCell::new(Vec::new()) };
}

impl Writer {
    // Boxed, since builders hand it on at each step.
    pub(crate) fn new() -> Box<Self> {
        let spare = SPARE.try_with(|spare| spare.borrow_mut().pop());
        spare.ok().flatten().unwrap_or_else(|| {
            Box::new(Self { out: String::with_capacity(USUAL), ..Self::default() })
        })
    }

    /// Goes on within an element that was finished, to which about `more` bytes will be added.
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

    /// Where the value was written, and whether as it is.
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

    /// An attribute in no namespace, or one of `xml:`.
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

    /// A whole element.
    pub(crate) fn child(&mut self, child: &Child<'_>) {
        self.close_head();
        let start = self.out.len();
        let within = self.open.last().map_or(STANZA_NS, |open| open.namespace.of(&self.namespaces));
        child.push_under(within, &mut self.out);
        if self.open.len() != 1 {
            return;
        }
        // Only its start tag is ever written anew.
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

    /// The namespace that an element written now would be within.
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
            self.head_ends(self.open.len());
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
            self.head_ends(self.open.len() - 1);
        }
    }

    /// The start tag of the element at this depth is written.
    fn head_ends(&mut self, depth: usize) {
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
        self.spare();
        element
    }

    /// Keeps its memory for the next.
    fn spare(mut self: Box<Self>) {
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
        // A thread that ends keeps nothing.
        let _ = SPARE.try_with(|spare| {
            let mut spare = spare.borrow_mut();
            if spare.len() < SPARES {
                spare.push(self);
            }
        });
    }
}

/// A name that is one, whatever the caller has given.
pub(crate) fn sound(name: &str) -> Cow<'_, str> {
    let is_name = chars::is_ncname(name);
    debug_assert!(is_name, "not a name: {name:?}");
    Cow::Borrowed(if is_name && name != "xmlns" { name } else { "_" })
}
