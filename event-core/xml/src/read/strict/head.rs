//! The namespaces of one start tag: resolving them, and writing the tag without prefixes.

use std::borrow::Cow;

use super::{Parse, Prefixed};
use crate::{
    element::{Known, Namespace, Node, index::offset},
    error::XmlError,
    read::{
        namespaces::Ns,
        start_tag::{self, Attribute, Kind, Span, StartTag},
    },
    stream::scope::STANZA_NS,
    write::escape,
};

/// The namespaces of an element.
#[derive(Debug, Clone, Copy)]
pub(crate) struct HeadNames {
    pub(crate) namespace: Ns,
    /// What an element without prefix within it is in.
    pub(crate) default: Ns,
    parent: Ns,
}

impl Parse<'_> {
    /// Takes in the declarations of the tag at hand, then resolves its names.
    pub(crate) fn resolve(&mut self, tag: &StartTag) -> Result<HeadNames, XmlError> {
        let (mut default, parent) = match self.s.open.last() {
            Some(open) => (open.default, open.namespace),
            None => (self.content, Ns::Content),
        };
        let declared = self.s.names.declared();
        if tag.has_default || tag.has_prefixes {
            default = self.declare()?.unwrap_or(default);
        }
        let namespace = match tag.name.prefix(self.text) {
            None => default,
            // Normal form would make it a default namespace, which is forbidden for these.
            Some("xml" | "xmlns") => return Err(XmlError::BadNamespacePrefix),
            Some(prefix) => self.s.names.resolve(prefix, self.scope)?.0,
        };
        // It would be taken for a stanza of this stream.
        if namespace == Ns::Client && self.s.open.is_empty() {
            return Err(XmlError::InvalidNamespace);
        }
        self.s.prefixed.clear();
        if tag.has_prefixes {
            self.resolve_attributes(declared)?;
        }
        Ok(HeadNames { namespace, default, parent })
    }

    /// Takes in the declarations of the tag at hand; gives the default namespace, if there is one.
    fn declare(&mut self) -> Result<Option<Ns>, XmlError> {
        let mut default = None;
        for attribute in &self.s.attributes {
            let value = || attribute.value(self.text);
            match attribute.kind {
                Kind::Default => {
                    default = Some(self.s.names.declare_default(&value(), self.scope)?);
                }
                Kind::Prefix => {
                    let prefix = attribute.name.local(self.text);
                    self.s.names.declare(prefix, &value(), self.scope)?;
                }
                Kind::Plain | Kind::Prefixed => {}
            }
        }
        // Looking a prefix up takes longer the more there are.
        if self.s.names.declared() > self.limits.max_attributes {
            return Err(XmlError::TooManyAttributes);
        }
        Ok(default)
    }

    fn resolve_attributes(&mut self, declared: usize) -> Result<(), XmlError> {
        for (at, attribute) in self.s.attributes.iter().enumerate() {
            if attribute.kind != Kind::Prefixed {
                continue;
            }
            let prefix = attribute.name.prefix(self.text).unwrap_or_default();
            let (namespace, binding) = self.s.names.resolve(prefix, self.scope)?;
            let here = binding.is_some_and(|binding| binding >= declared);
            self.s.prefixed.push(Prefixed { attribute: at, namespace, here });
        }
        Ok(())
    }

    /// No two attributes may have the same name, nor the same local name and namespace.
    pub(crate) fn check_unique(&self) -> Result<(), XmlError> {
        const TWICE: XmlError = XmlError::NotWellFormed("attribute given twice");
        if start_tag::has_twice(self.text, &self.s.attributes) {
            return Err(TWICE);
        }
        let mut rest = self.s.prefixed.as_slice();
        while let [first, others @ ..] = rest {
            for other in others {
                let same = self.local(first) == self.local(other)
                    && self.s.names.literal(first.namespace, self.scope)
                        == self.s.names.literal(other.namespace, self.scope);
                if same {
                    return Err(TWICE);
                }
            }
            rest = others;
        }
        Ok(())
    }

    fn attribute(&self, prefixed: &Prefixed) -> Attribute {
        self.s.attributes.get(prefixed.attribute).copied().unwrap_or_default()
    }

    fn local(&self, prefixed: &Prefixed) -> &str {
        self.attribute(prefixed).name.local(self.text)
    }

    /// Makes the edits that bring the tag to normal form, and its entry in the index.
    pub(crate) fn write_head(&mut self, tag: &StartTag, names: &HeadNames) {
        let depth = self.s.open.len();
        let start = self.output(self.at);
        let name = tag.name;
        if name.local > name.whole.start {
            self.replace(name.whole.start(), name.local as usize, "");
        }
        let needed = !self.s.names.same(names.namespace, names.parent, self.scope);
        let keep = name.local == name.whole.start
            && match names.namespace {
                Ns::At(_) | Ns::Scope(_) => true,
                stanza => needed && self.s.names.literal(stanza, self.scope) == STANZA_NS,
            };
        let mut namespace = match names.namespace {
            Ns::At(_) | Ns::Scope(_) => self.root.namespace,
            Ns::Content | Ns::Client => Namespace::Stanza,
        };
        let name_end = self.output(name.whole.end());
        if needed && !(tag.has_default && keep) {
            let place = self.insert_xmlns(name.whole.end(), names.namespace);
            if !names.namespace.is_stanza() {
                namespace = place;
            }
        }
        if self.s.prefixed.iter().any(|prefixed| !prefixed.here) {
            self.insert_prefixes(name.whole.end());
        }
        let is_stanza = depth == 0
            && names.namespace == Ns::Content
            && matches!(name.local(self.text), "message" | "presence" | "iq");
        let stamp = self.stamp.filter(|_| is_stanza);
        if depth == 0 || tag.has_default || tag.has_prefixes {
            self.write_attributes(depth, stamp, keep, names, &mut namespace);
        }
        if let Some(stamp) = stamp
            && self.root.place(Known::From).is_none()
        {
            let end = self.s.attributes.last().map_or(name.whole.end(), Attribute::end);
            self.write_from(stamp, end, end);
        }
        let head_end = offset(self.output(tag.end));
        if depth == 0 {
            self.root.name_end = offset(name_end);
            self.root.head_end = head_end;
            self.root.namespace = namespace;
        } else if depth == 1 {
            let whole = Span::new(start, start);
            self.s.nodes.push(Node { whole, name_end: offset(name_end), head_end, namespace });
        }
    }

    /// Goes over the attributes: leaves out declarations that normal form has no use for, and
    /// notes the places the index wants.
    fn write_attributes(
        &mut self,
        depth: usize,
        stamp: Option<&str>,
        keep_xmlns: bool,
        names: &HeadNames,
        namespace: &mut Namespace,
    ) {
        for at in 0..self.s.attributes.len() {
            let attribute = self.s.attributes.get(at).copied().unwrap_or_default();
            let start = self.output(attribute.value.start());
            let length = attribute.value.end() - attribute.value.start();
            match attribute.kind {
                Kind::Default if !keep_xmlns => {
                    self.replace(attribute.gap as usize, attribute.end(), "");
                }
                Kind::Default if depth <= 1 && !names.namespace.is_stanza() => {
                    *namespace = match attribute.value(self.text) {
                        Cow::Borrowed(_) => Namespace::At(Span::new(start, start + length)),
                        Cow::Owned(plain) => Namespace::in_tail(&mut self.s.tail, &plain),
                    };
                }
                Kind::Prefix => {
                    let prefix = attribute.name.local(self.text);
                    let used = self.s.prefixed.iter().any(|prefixed| {
                        self.attribute(prefixed).name.prefix(self.text) == Some(prefix)
                    });
                    if !used {
                        self.replace(attribute.gap as usize, attribute.end(), "");
                    }
                }
                Kind::Plain if depth == 0 => match (attribute.name.whole.of(self.text), stamp) {
                    ("from", Some(stamp)) => {
                        self.write_from(stamp, attribute.gap as usize, attribute.end());
                    }
                    (name, _) => {
                        if let Some(known) = Known::of(name) {
                            let value = Span::new(start, start + length);
                            self.root.remember(known, value, attribute.is_plain);
                        }
                    }
                },
                Kind::Default | Kind::Plain | Kind::Prefixed => {}
            }
        }
    }

    /// Writes the `from` of a stanza in the place of what stood there.
    fn write_from(&mut self, jid: &str, start: usize, end: usize) {
        self.replace(start, end, " from='");
        let at = self.s.out.len();
        escape::push_attribute(&mut self.s.out, jid);
        let end = self.s.out.len();
        self.root.remember(Known::From, Span::new(at, end), end - at == jid.len());
        self.s.out.push('\'');
    }

    fn insert_xmlns(&mut self, at: usize, namespace: Ns) -> Namespace {
        self.replace(at, at, " xmlns='");
        let start = self.s.out.len();
        let plain = self.s.names.normal(namespace, self.scope);
        escape::push_attribute(&mut self.s.out, plain);
        let end = self.s.out.len();
        let place = if self.s.out.get(start..) == Some(plain) {
            Namespace::At(Span::new(start, end))
        } else {
            Namespace::in_tail(&mut self.s.tail, plain)
        };
        self.s.out.push('\'');
        place
    }

    /// Declares, once each, the prefixes of attributes that are declared further out.
    fn insert_prefixes(&mut self, at: usize) {
        self.replace(at, at, "");
        for number in 0..self.s.prefixed.len() {
            let Some(&prefixed) = self.s.prefixed.get(number) else {
                continue;
            };
            let prefix = self.attribute(&prefixed).name.prefix(self.text).unwrap_or_default();
            let before = self.s.prefixed.get(..number).unwrap_or_default();
            let again = before
                .iter()
                .any(|other| self.attribute(other).name.prefix(self.text) == Some(prefix));
            if prefixed.here || again {
                continue;
            }
            let namespace = self.s.names.literal(prefixed.namespace, self.scope);
            for piece in [" xmlns:", prefix, "='"] {
                self.s.out.push_str(piece);
            }
            escape::push_attribute(&mut self.s.out, namespace);
            self.s.out.push('\'');
        }
    }
}
