//! Writing normal form: no prefixes on elements, and `xmlns` only where the namespace changes.

use super::{
    chars, escape,
    scope::{STANZA_NS, XML_NS},
    walk::Head,
};

/// Writes one element after the other into a string.
#[derive(Debug, Default)]
pub(super) struct Writer {
    out: String,
    /// The elements open, outermost first.
    open: Vec<(String, String)>,
    /// Whether the start tag of the last of them can still take attributes.
    in_head: bool,
    /// Where that start tag begins.
    head: usize,
    prefixes: usize,
}

impl Writer {
    pub(super) fn start(&mut self, name: &str, namespace: &str) {
        self.close_head();
        let parent = self.open.last().map_or(STANZA_NS, |(_, namespace)| namespace);
        let inherits = parent == namespace;
        let name = sound(name);
        self.head = self.out.len();
        self.out.push('<');
        self.out.push_str(&name);
        self.open.push((name, namespace.to_owned()));
        self.in_head = true;
        self.prefixes = 0;
        if !inherits {
            self.push_attribute("xmlns", namespace);
        }
    }

    fn push_attribute(&mut self, name: &str, value: &str) {
        let head = Head(self.out.get(self.head..).unwrap_or_default());
        let sound = self.in_head && head.raw(name).is_none();
        debug_assert!(sound, "attribute too late or given twice: {name}");
        if !sound {
            return;
        }
        self.out.push(' ');
        self.out.push_str(name);
        self.out.push_str("='");
        escape::push_attribute(&mut self.out, value);
        self.out.push('\'');
    }

    /// An attribute in no namespace, or one of `xml:`.
    pub(super) fn attribute(&mut self, name: &str, value: &str) {
        match name.strip_prefix("xml:") {
            Some(local) => self.push_attribute(&format!("xml:{}", sound(local)), value),
            None => self.push_attribute(&sound(name), value),
        }
    }

    pub(super) fn attribute_in(&mut self, namespace: &str, name: &str, value: &str) {
        match namespace {
            "" => self.attribute(name, value),
            XML_NS => self.push_attribute(&format!("xml:{}", sound(name)), value),
            _ => {
                let prefix = format!("ns{}", self.prefixes);
                self.prefixes += 1;
                self.push_attribute(&format!("xmlns:{prefix}"), namespace);
                self.push_attribute(&format!("{prefix}:{}", sound(name)), value);
            }
        }
    }

    pub(super) fn text(&mut self, text: &str) {
        if text.is_empty() {
            return;
        }
        self.close_head();
        escape::push_text(&mut self.out, text);
    }

    /// The namespace that an element written now would be within.
    pub(super) fn within(&self) -> &str {
        self.open.last().map_or(STANZA_NS, |(_, namespace)| namespace)
    }

    /// Gives the output to one who writes a whole element in normal form.
    pub(super) fn raw(&mut self) -> &mut String {
        self.close_head();
        &mut self.out
    }

    pub(super) fn end(&mut self) {
        let Some((name, _)) = self.open.pop() else {
            return;
        };
        if self.in_head {
            self.out.push_str("/>");
            self.in_head = false;
        } else {
            self.out.push_str("</");
            self.out.push_str(&name);
            self.out.push('>');
        }
    }

    fn close_head(&mut self) {
        if self.in_head {
            self.out.push('>');
            self.in_head = false;
        }
    }

    pub(super) fn finish(mut self) -> String {
        while !self.open.is_empty() {
            self.end();
        }
        self.out
    }
}

/// A name that is one, whatever the caller has given.
pub(super) fn sound(name: &str) -> String {
    debug_assert!(chars::is_ncname(name), "not a name: {name:?}");
    if chars::is_ncname(name) && name != "xmlns" { name.to_owned() } else { "_".to_owned() }
}
