//! Writes the normal form and the index of an element while the element is read.
//!
//! An element that needs no edit is copied once, as a whole.

use std::{borrow::Cow, sync::Arc};

use crate::{
    element::{
        Element,
        index::{Known, Namespace, Node, RootIndex},
    },
    read::{
        chars,
        namespaces::{Input, Names, Ns, Prefixed, TagNamespaces},
        stamp::Stamp,
        start_tag::{Attribute, Kind},
    },
    span::{Span, offset},
    stream::scope::STANZA_NS,
    write::escape,
};

/// The buffers to write to; they are empty at first.
#[derive(Debug, Default)]
pub(crate) struct Buffers {
    pub(crate) out: String,
    /// The unescaped form of namespaces that are escaped in the element.
    pub(crate) tail: String,
    pub(crate) nodes: Vec<Node>,
}

/// The part of the element that has been written.
pub(crate) struct NormalForm<'a> {
    text: &'a str,
    stamp: Option<&'a Stamp<'a>>,
    to: &'a mut Buffers,
    /// The end of the input that has been copied.
    copied: usize,
    root: RootIndex,
}

/// A start tag and its resolved namespaces.
#[derive(Clone, Copy)]
pub(crate) struct Head<'a> {
    pub(crate) input: &'a Input<'a>,
    pub(crate) names: &'a Names,
    pub(crate) namespaces: &'a TagNamespaces,
    pub(crate) depth: usize,
}

impl<'a> NormalForm<'a> {
    #[inline]
    pub(crate) fn new(text: &'a str, stamp: Option<&'a Stamp<'a>>, to: &'a mut Buffers) -> Self {
        to.out.clear();
        to.tail.clear();
        to.nodes.clear();
        Self { text, stamp, to, copied: 0, root: RootIndex::default() }
    }

    /// The number of bytes written so far.
    #[inline]
    pub(crate) fn written(&self) -> usize {
        self.to.out.len() + self.to.tail.len()
    }

    /// Converts an input position into an output position. All edits before the position must have
    /// been made.
    #[inline]
    fn output(&self, at: usize) -> usize {
        self.to.out.len() + at - self.copied
    }

    #[inline]
    fn replace(&mut self, from: usize, to: usize, with: &str) {
        self.to.out.push_str(self.text.get(self.copied..from).unwrap_or_default());
        self.to.out.push_str(with);
        self.copied = to;
    }

    /// Omits a part of the input.
    pub(crate) fn remove(&mut self, from: usize, to: usize) {
        self.replace(from, to, "");
    }

    /// Completes the entry of a direct child that ends at the input position `at`.
    #[inline]
    pub(crate) fn end_child(&mut self, at: usize) {
        let end = offset(self.output(at));
        if let Some(node) = self.to.nodes.last_mut() {
            node.whole.end = end;
        }
    }

    /// Writes a start tag in normal form and its entry in the index.
    #[inline]
    pub(crate) fn start_tag(&mut self, head: &Head<'_>) {
        let Head { input: &Input { tag, scope, .. }, names, namespaces, depth } = *head;
        let name = tag.name;
        // The name follows the `<`.
        let start = self.output(name.whole.start() - 1);
        if name.local > name.whole.start {
            self.remove(name.whole.start(), name.local as usize);
        }
        let needed = !names.same(namespaces.own, namespaces.parent, scope);
        let keep = name.local == name.whole.start
            && match namespaces.own {
                Ns::At(_) | Ns::NamespaceScope(_) => true,
                stanza => needed && names.literal(stanza, scope) == STANZA_NS,
            };
        let mut namespace = match namespaces.own {
            Ns::At(_) | Ns::NamespaceScope(_) => self.root.namespace,
            Ns::Content | Ns::OtherContent(_) => Namespace::Stanza,
        };
        let name_end = self.output(name.whole.end());
        if needed && !(tag.has_default && keep) {
            let place = self.insert_xmlns(name.whole.end(), head);
            if !namespaces.own.is_stanza() {
                namespace = place;
            }
        }
        if tag.has_prefixes && names.prefixed.iter().any(|prefixed| !prefixed.here) {
            self.insert_prefixes(name.whole.end(), head);
        }
        let stamp = self.stamp.filter(|stamp| {
            depth == 0 && namespaces.own == Ns::Content && (stamp.is_for)(name.local(self.text))
        });
        let stamp = stamp.map(|stamp| (stamp, Known::of(stamp.attribute)));
        let mut is_stamped = false;
        if depth == 0 || tag.has_default || tag.has_prefixes {
            is_stamped = self.attributes(head, stamp, keep, &mut namespace);
        }
        if let Some((stamp, known)) = stamp {
            let end = head.input.attributes.last().map_or(name.whole.end(), Attribute::end);
            if !is_stamped {
                self.write_attribute((stamp.attribute, stamp.value), known, end, end);
            }
            if let Some(lang) = stamp.lang {
                self.write_lang(lang, end);
            }
        }
        let name_end = offset(name_end);
        let head_end = offset(self.output(tag.end));
        if depth == 0 {
            self.root.name_end = name_end;
            self.root.head_end = head_end;
            self.root.namespace = namespace;
        } else if depth == 1 {
            let whole = Span::new(start, start);
            self.to.nodes.push(Node { whole, name_end, head_end, namespace });
        }
    }

    /// Omits declarations that normal form does not need, and indexes the common attributes.
    /// Returns whether the stamp has replaced an attribute.
    fn attributes(
        &mut self,
        head: &Head<'_>,
        stamp: Option<(&Stamp<'_>, Option<Known>)>,
        keep_xmlns: bool,
        namespace: &mut Namespace,
    ) -> bool {
        let mut is_stamped = false;
        for attribute in head.input.attributes {
            let start = self.output(attribute.value.start());
            let length = attribute.value.end() - attribute.value.start();
            match attribute.kind {
                Kind::Default if !keep_xmlns => {
                    self.remove(attribute.gap as usize, attribute.end());
                }
                Kind::Default if head.depth <= 1 && !head.namespaces.own.is_stanza() => {
                    *namespace = match attribute.value(self.text) {
                        Cow::Borrowed(_) => Namespace::At(Span::new(start, start + length)),
                        Cow::Owned(plain) => Namespace::in_tail(&mut self.to.tail, &plain),
                    };
                }
                Kind::Prefix => {
                    let prefix = attribute.name.local(self.text);
                    let used = head
                        .names
                        .prefixed
                        .iter()
                        .any(|prefixed| self.prefix(head, prefixed) == Some(prefix));
                    if !used {
                        self.remove(attribute.gap as usize, attribute.end());
                    }
                }
                Kind::Plain if head.depth == 0 => {
                    let name = attribute.name.whole.of(self.text);
                    let known = Known::of(name);
                    let is_same = |&(stamp, stamps): &(&Stamp<'_>, Option<Known>)| match known {
                        Some(known) => stamps == Some(known),
                        None => stamp.attribute == name,
                    };
                    if let Some((stamp, known)) = stamp.filter(is_same) {
                        let (start, end) = (attribute.gap as usize, attribute.end());
                        self.write_attribute((stamp.attribute, stamp.value), known, start, end);
                        is_stamped = true;
                    } else if let Some(known) = known {
                        let value = Span::new(start, start + length);
                        self.root.remember(known, value, attribute.is_plain);
                    }
                }
                Kind::Default | Kind::Plain | Kind::Prefixed => {}
            }
        }
        is_stamped
    }

    fn prefix(&self, head: &Head<'_>, prefixed: &Prefixed) -> Option<&'a str> {
        head.input.attributes.get(prefixed.attribute)?.name.prefix(self.text)
    }

    /// Writes an attribute of the stamp in place of the input between two positions.
    #[inline(always)]
    fn write_attribute(
        &mut self,
        (name, value): (&str, &str),
        known: Option<Known>,
        start: usize,
        end: usize,
    ) {
        debug_assert!(name == "xml:lang" || chars::is_ncname(name) && name != "xmlns");
        self.replace(start, end, " ");
        let out = &mut self.to.out;
        out.push_str(name);
        out.push_str("='");
        let start = out.len();
        escape::push_attribute(out, value);
        let written = Span::new(start, out.len());
        out.push('\'');
        if let Some(known) = known {
            self.root.remember(known, written, written.end() - start == value.len());
        }
    }

    /// Writes the language at the input position `at`, unless the element has one.
    // Inlined, it would make the start tags of all elements slower.
    #[cold]
    fn write_lang(&mut self, lang: &str, at: usize) {
        if self.root.place(Known::Lang).is_none() {
            self.write_attribute(("xml:lang", lang), Some(Known::Lang), at, at);
        }
    }

    /// Declares the element's own namespace as the default.
    fn insert_xmlns(&mut self, at: usize, head: &Head<'_>) -> Namespace {
        self.replace(at, at, " xmlns='");
        let Buffers { out, tail, .. } = &mut *self.to;
        let start = out.len();
        let plain = head.names.normal(head.namespaces.own, head.input.scope);
        escape::push_attribute(out, plain);
        let end = out.len();
        let place = if out.get(start..) == Some(plain) {
            Namespace::At(Span::new(start, end))
        } else {
            Namespace::in_tail(tail, plain)
        };
        out.push('\'');
        place
    }

    /// Declares the prefixes of attributes that only an outer element declares, each prefix once.
    fn insert_prefixes(&mut self, at: usize, head: &Head<'_>) {
        self.remove(at, at);
        for (number, prefixed) in head.names.prefixed.iter().enumerate() {
            let prefix = self.prefix(head, prefixed);
            let mut before = head.names.prefixed.iter().take(number);
            if prefixed.here || before.any(|other| self.prefix(head, other) == prefix) {
                continue;
            }
            for piece in [" xmlns:", prefix.unwrap_or_default(), "='"] {
                self.to.out.push_str(piece);
            }
            let namespace = head.names.literal(prefixed.namespace, head.input.scope);
            escape::push_attribute(&mut self.to.out, namespace);
            self.to.out.push('\'');
        }
    }

    /// Completes the element, which ends at the input position `end`.
    #[inline]
    pub(crate) fn finish(self, end: usize) -> Element {
        let Buffers { out, tail, nodes } = self.to;
        let mut root = self.root;
        let text = self.text.get(..end).unwrap_or_default();
        let length = text.len() - self.copied + out.len();
        let buffer = if self.copied != 0 || !tail.is_empty() {
            out.push_str(text.get(self.copied..).unwrap_or_default());
            out.push_str(tail);
            root.namespace.place_tail(length);
            nodes.iter_mut().for_each(|node| node.namespace.place_tail(length));
            Arc::from(out.as_str())
        } else {
            Arc::from(text)
        };
        let children = (!nodes.is_empty()).then(|| Arc::from(nodes.as_slice()));
        Element { buffer, length: offset(length), index: root, children }
    }
}
