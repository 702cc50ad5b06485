//! Edits elements: writes the edited part, copies all other parts, and adjusts the index.

use std::{borrow::Cow, cell::RefCell, sync::Arc};

use crate::{
    element::{
        Element,
        child::Child,
        index::{Known, Namespace, Node, RootIndex},
        walk::Head,
    },
    span::{Span, offset},
    write::{
        escape,
        writer::{self, Writer},
    },
};

/// The size in bytes up to which a buffer is kept after use.
const KEEP: usize = 64 * 1024;

thread_local! {
    /// The buffer for an element whose length is not known yet.
    static WRITTEN: RefCell<String> = const { RefCell::new(String::new()) };
}

impl Element {
    /// Sets or removes (`None`) an attribute of the root that is in no namespace.
    pub fn set_attribute(&mut self, name: &str, value: Option<&str>) {
        match (Known::of(name), value) {
            (Some(known), Some(value)) if self.index.place(known).is_none() => {
                *self = self.with_attribute(known, name, value);
            }
            _ => self.set_attributes(&[(name, value)]),
        }
    }

    /// Makes a copy with this `to`. If `self` has no `to`, this costs little more than a plain
    /// copy.
    #[must_use]
    pub fn addressed_to(&self, to: &str) -> Self {
        if self.index.place(Known::To).is_none() {
            return self.with_attribute(Known::To, "to", to);
        }
        let mut copy = self.clone();
        copy.set_attribute("to", Some(to));
        copy
    }

    /// Makes a copy with an additional attribute, which the root must not have yet.
    fn with_attribute(&self, known: Known, name: &str, value: &str) -> Self {
        let head = self.head();
        let (before, after) = self.buffer.split_at_checked(head.open_end()).unwrap_or_default();
        let mut index = self.index;
        WRITTEN.with_borrow_mut(|out| {
            out.clear();
            out.push_str(before);
            let value = push_attribute(name, value, out);
            index.remember(known, value.0, value.1);
            let by = offset(out.len() - before.len());
            out.push_str(after);
            index.head_end += by;
            let moved = |at: u32| if at < self.index.head_end { at } else { at + by };
            index.namespace = index.namespace.moved(moved);
            let nodes = self.children.as_ref();
            let element = Self {
                buffer: Arc::from(out.as_str()),
                length: self.length + by,
                index,
                children: nodes.map(|nodes| nodes.iter().map(|node| node.moved(moved)).collect()),
            };
            out.shrink_to(KEEP);
            element
        })
    }

    /// Sets or removes several attributes of the root in one copy. If two changes have the same
    /// name, the last one counts.
    pub fn set_attributes(&mut self, changes: &[(&str, Option<&str>)]) {
        let mut head = String::with_capacity(self.buffer.len() + 64 * changes.len());
        self.write_head(changes, &mut head);
        self.replace_head(head);
    }

    /// Sets or removes the `xml:lang` of the root.
    pub fn set_lang(&mut self, lang: Option<&str>) {
        self.set_attribute("xml:lang", lang);
    }

    fn write_head(&self, changes: &[(&str, Option<&str>)], out: &mut String) {
        let head = self.head();
        let push = |out: &mut String, from: usize, to: usize| {
            out.push_str(head.0.get(from..to).unwrap_or_default());
        };
        let mut copied = 0;
        for attribute in head.attributes() {
            // The last change of a name counts.
            let change = changes.iter().rev().find(|(name, _)| *name == attribute.name);
            match change {
                Some((_, Some(value))) if attribute.name != "xmlns" => {
                    push(out, copied, attribute.gap);
                    push_attribute(attribute.name, value, out);
                    copied = attribute.end;
                }
                Some((_, None)) if attribute.name != "xmlns" => {
                    push(out, copied, attribute.gap);
                    copied = attribute.end;
                }
                _ => {}
            }
        }
        let end = head.open_end();
        push(out, copied, end.max(copied));
        for (at, (name, value)) in changes.iter().enumerate() {
            let Some(value) = value else { continue };
            let later = changes.iter().skip(at + 1).any(|(other, _)| other == name);
            if !later && *name != "xmlns" && head.raw(name).is_none() {
                push_attribute(&attribute_name(name), value, out);
            }
        }
        push(out, end, head.0.len());
    }

    /// Replaces the start tag and adjusts all positions after it.
    fn replace_head(&mut self, mut head: String) {
        let old = self.index.head_end as usize;
        let new = head.len();
        let moved = |at: u32| {
            if (at as usize) < old { at } else { offset(at as usize - old + new) }
        };
        let length = moved(self.length);
        let mut tail = String::new();
        let mut root = RootIndex::of(Head(&head), &mut tail);
        // A namespace of the root that was escaped is already in the tail.
        root.namespace = match self.index.namespace {
            Namespace::At(span) if span.start() >= old => self.index.namespace.moved(moved),
            _ => root.namespace,
        };
        let nodes = self.nodes().iter().map(|node| {
            let namespace = match node.namespace {
                Namespace::At(span) if span.start() < old => root.namespace,
                namespace => namespace.moved(moved),
            };
            Node { namespace, ..node.moved(moved) }
        });
        self.children = self.children.is_some().then(|| nodes.collect());
        head.push_str(self.buffer.get(old..).unwrap_or_default());
        self.buffer = head.into();
        self.length = length;
        self.index = root;
    }

    /// Appends a child.
    pub fn push_child(&mut self, child: &Element) {
        let mut writer = Writer::reopen(self, child.buffer.len() + 64);
        writer.child(&child.as_child());
        *self = writer.finish();
    }

    /// Replaces all text and children of the root by this text.
    pub fn set_text(&mut self, text: &str) {
        let mut out = String::with_capacity(self.buffer.len() + text.len());
        self.push_open_head(&mut out);
        escape::push_text(&mut out, text);
        self.close(out);
    }

    /// Removes the direct children for which `keep` returns false. Returns the number of removed
    /// children.
    pub fn retain_children(&mut self, mut keep: impl FnMut(&Child<'_>) -> bool) -> usize {
        let gone: Vec<Span> = self
            .nodes()
            .iter()
            .filter(|node| !keep(&self.view(node)))
            .map(|node| node.whole)
            .collect();
        if gone.is_empty() {
            return 0;
        }
        let xml = self.xml();
        let mut out = String::with_capacity(xml.len());
        let mut copied = 0;
        for span in &gone {
            out.push_str(xml.get(copied..span.start()).unwrap_or_default());
            copied = span.end();
            // Without the removed child, CR and LF would be read as one line end.
            if out.ends_with('\r') && xml.as_bytes().get(copied) == Some(&b'\n') {
                out.pop();
                out.push('\n');
            }
        }
        out.push_str(xml.get(copied..).unwrap_or_default());
        *self = Self::indexed(out);
        gone.len()
    }

    fn close(&mut self, mut out: String) {
        out.push_str("</");
        out.push_str(self.name());
        out.push('>');
        *self = Self::indexed(out);
    }
}

fn attribute_name(name: &str) -> Cow<'_, str> {
    match name.strip_prefix("xml:") {
        Some(local) => Cow::Owned(format!("xml:{}", writer::sound(local))),
        None => writer::sound(name),
    }
}

/// Writes an attribute. Returns the position of the value, and whether the value has no escapes.
fn push_attribute(name: &str, value: &str, out: &mut String) -> (Span, bool) {
    out.push(' ');
    out.push_str(name);
    out.push_str("='");
    let start = out.len();
    escape::push_attribute(out, value);
    let written = Span::new(start, out.len());
    out.push('\'');
    (written, written.end() - start == value.len())
}
