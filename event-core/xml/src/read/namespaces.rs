//! The namespaces in effect while a frame is read (Namespaces in XML 1.0).

use crate::{
    error::XmlError,
    read::start_tag::{self, Attribute, Kind, StartTag},
    span::Span,
    stream::scope::{CONTENT, NamespaceScope, STANZA_NS, XML_NS, XMLNS_NS, content_number},
};

/// A namespace of the frame being read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ns {
    /// The content namespace of the stream, which is written as [`STANZA_NS`].
    Content,
    /// The content namespace of other streams, by its index in [`CONTENT`]. It is also written as
    /// [`STANZA_NS`]: on another stream it would be the content namespace, and what is written there
    /// has to be what was read here.
    OtherContent(usize),
    /// The namespace of a prefix that the stream header declares, by the number of the prefix.
    NamespaceScope(usize),
    /// Any other namespace, by its position in [`Names`].
    At(Span),
}

/// The maximum length of a namespace in bytes. Normal form repeats a namespace for each removed
/// prefix, so a long namespace would make a small frame large.
pub(crate) const MAX_NAMESPACE: usize = 1024;

impl Ns {
    /// Whether the namespace is [`STANZA_NS`] in normal form.
    pub(crate) fn is_stanza(self) -> bool {
        matches!(self, Self::Content | Self::OtherContent(_))
    }
}

/// A start tag as read, and the scope of its stream.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Input<'a> {
    pub(crate) text: &'a str,
    pub(crate) scope: &'a NamespaceScope,
    pub(crate) tag: &'a StartTag,
    pub(crate) attributes: &'a [Attribute],
}

/// The namespaces of a start tag.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TagNamespaces {
    /// The namespace of the element.
    pub(crate) own: Ns,
    /// The namespace of an inner element without a prefix.
    pub(crate) default: Ns,
    pub(crate) parent: Ns,
}

/// An attribute with a prefix other than `xml` and `xmlns`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Prefixed {
    /// The index of the attribute in the tag.
    pub(crate) attribute: usize,
    pub(crate) namespace: Ns,
    /// Whether the same tag declares the prefix.
    pub(crate) here: bool,
}

#[derive(Debug, Clone, Copy)]
struct Binding {
    prefix: Span,
    namespace: Ns,
}

/// The declared prefixes, innermost last, and the characters of their names and namespaces.
#[derive(Debug, Default)]
pub(crate) struct Names {
    kept: String,
    bindings: Vec<Binding>,
    /// The attributes with a prefix in the last start tag that has any.
    pub(crate) prefixed: Vec<Prefixed>,
}

impl Names {
    pub(crate) fn clear(&mut self) {
        self.kept.clear();
        self.bindings.clear();
    }

    /// The number of prefixes declared so far.
    pub(crate) fn declared(&self) -> usize {
        self.bindings.len()
    }

    /// Removes the prefixes of an element that has ended.
    pub(crate) fn leave(&mut self, declared: usize) {
        self.bindings.truncate(declared);
    }

    fn keep(&mut self, name: &str) -> Span {
        let start = self.kept.len();
        self.kept.push_str(name);
        Span::new(start, self.kept.len())
    }

    /// The content namespaces, which have a variant each.
    fn special(name: &str, scope: &NamespaceScope) -> Option<Ns> {
        let number = content_number(name)?;
        let is_own = name == scope.content_namespace();
        Some(if is_own { Ns::Content } else { Ns::OtherContent(number) })
    }

    /// The default namespace of a stream.
    pub(crate) fn content(&mut self, scope: &NamespaceScope) -> Ns {
        match scope.other_default() {
            None if scope.has_stanzas() => Ns::Content,
            other => self.other_content(other, scope),
        }
    }

    // Few streams have another default namespace than that of their stanzas.
    #[cold]
    fn other_content(&mut self, default: Option<&str>, scope: &NamespaceScope) -> Ns {
        match default {
            Some(default) => self.namespace(default, scope),
            None => Ns::At(self.keep(scope.content_namespace())),
        }
    }

    fn namespace(&mut self, name: &str, scope: &NamespaceScope) -> Ns {
        Self::special(name, scope).unwrap_or_else(|| Ns::At(self.keep(name)))
    }

    /// The namespace as written in the input.
    pub(crate) fn literal<'a>(&'a self, namespace: Ns, scope: &'a NamespaceScope) -> &'a str {
        match namespace {
            Ns::Content => scope.content_namespace(),
            Ns::OtherContent(number) => CONTENT.get(number).copied().unwrap_or_default(),
            Ns::NamespaceScope(number) => scope.namespace(number),
            Ns::At(span) => span.of(&self.kept),
        }
    }

    /// The namespace as written in the output.
    pub(crate) fn normal<'a>(&'a self, namespace: Ns, scope: &'a NamespaceScope) -> &'a str {
        match namespace {
            Ns::Content | Ns::OtherContent(_) => STANZA_NS,
            other => self.literal(other, scope),
        }
    }

    /// Whether two namespaces are equal in the output.
    pub(crate) fn same(&self, one: Ns, other: Ns, scope: &NamespaceScope) -> bool {
        one == other || self.normal(one, scope) == self.normal(other, scope)
    }

    /// Reads the value of an `xmlns` attribute.
    #[inline(always)]
    pub(crate) fn declare_default(
        &mut self,
        name: &str,
        scope: &NamespaceScope,
    ) -> Result<Ns, XmlError> {
        if name == XML_NS || name == XMLNS_NS {
            return Err(XmlError::NotWellFormed("reserved namespace"));
        }
        if name.len() > MAX_NAMESPACE {
            return Err(XmlError::NameTooLong);
        }
        Ok(self.namespace(name, scope))
    }

    /// Declares the prefix of an `xmlns:prefix` attribute.
    pub(crate) fn declare(
        &mut self,
        prefix: &str,
        name: &str,
        scope: &NamespaceScope,
    ) -> Result<(), XmlError> {
        match (prefix, name) {
            ("xml", XML_NS) => return Ok(()),
            ("xml" | "xmlns", _) | (_, XML_NS | XMLNS_NS) => {
                return Err(XmlError::NotWellFormed("reserved prefix or namespace"));
            }
            (_, "") => return Err(XmlError::NotWellFormed("prefix without a namespace")),
            _ if name.len() > MAX_NAMESPACE => return Err(XmlError::NameTooLong),
            _ => {}
        }
        let namespace = self.namespace(name, scope);
        let prefix = self.keep(prefix);
        self.bindings.push(Binding { prefix, namespace });
        Ok(())
    }

    /// The namespace of a prefix, and the number of the declaration, which is `None` if the stream
    /// header declares the prefix.
    pub(crate) fn resolve(
        &self,
        prefix: &str,
        scope: &NamespaceScope,
    ) -> Result<(Ns, Option<usize>), XmlError> {
        let found = self.bindings.iter().rposition(|known| known.prefix.of(&self.kept) == prefix);
        if let Some(binding) = found.and_then(|at| self.bindings.get(at)) {
            return Ok((binding.namespace, found));
        }
        let number = scope.number(prefix).ok_or(XmlError::BadNamespacePrefix)?;
        let special = Self::special(scope.namespace(number), scope);
        Ok((special.unwrap_or(Ns::NamespaceScope(number)), None))
    }

    /// Declares the prefixes of a start tag, then resolves its names. `around` is the default
    /// namespace around the element and the namespace of its parent.
    #[inline(always)]
    pub(crate) fn resolve_tag(
        &mut self,
        input: &Input<'_>,
        around: (Ns, Ns),
        max_declared: usize,
    ) -> Result<TagNamespaces, XmlError> {
        let (mut default, parent) = around;
        let declared = self.declared();
        if input.tag.has_default || input.tag.has_prefixes {
            default = self.declare_all(input, max_declared)?.unwrap_or(default);
        }
        let own = match input.tag.name.prefix(input.text) {
            None => default,
            // Normal form would declare the namespace as the default, which is forbidden.
            Some("xml" | "xmlns") => return Err(XmlError::BadNamespacePrefix),
            Some(prefix) => self.resolve(prefix, input.scope)?.0,
        };
        if input.tag.has_prefixes {
            self.prefixed.clear();
            self.resolve_attributes(input, declared)?;
        }
        Ok(TagNamespaces { own, default, parent })
    }

    /// Declares the prefixes of a start tag. Returns the default namespace if the tag declares one.
    #[inline(always)]
    fn declare_all(&mut self, input: &Input<'_>, max: usize) -> Result<Option<Ns>, XmlError> {
        let mut default = None;
        for attribute in input.attributes {
            let value = || attribute.value(input.text);
            match attribute.kind {
                Kind::Default => default = Some(self.declare_default(&value(), input.scope)?),
                Kind::Prefix => {
                    self.declare(attribute.name.local(input.text), &value(), input.scope)?;
                }
                Kind::Plain | Kind::Prefixed => {}
            }
        }
        // The time to resolve a prefix grows with the number of declared prefixes.
        if self.declared() > max {
            return Err(XmlError::TooManyAttributes);
        }
        Ok(default)
    }

    #[inline]
    fn resolve_attributes(&mut self, input: &Input<'_>, declared: usize) -> Result<(), XmlError> {
        for (at, attribute) in input.attributes.iter().enumerate() {
            if attribute.kind != Kind::Prefixed {
                continue;
            }
            let prefix = attribute.name.prefix(input.text).unwrap_or_default();
            let (namespace, binding) = self.resolve(prefix, input.scope)?;
            let here = binding.is_some_and(|binding| binding >= declared);
            self.prefixed.push(Prefixed { attribute: at, namespace, here });
        }
        Ok(())
    }

    /// Refuses two attributes of the same name, or of the same local name and namespace
    /// (Namespaces in XML 1.0 section 6.3).
    #[inline(always)]
    pub(crate) fn check_unique(&self, input: &Input<'_>) -> Result<(), XmlError> {
        const TWICE: XmlError = XmlError::NotWellFormed("attribute given twice");
        if input.attributes.len() < 2 {
            return Ok(());
        }
        if start_tag::has_twice(input.text, input.attributes) {
            return Err(TWICE);
        }
        if !input.tag.has_prefixes {
            return Ok(());
        }
        let local = |prefixed: &Prefixed| {
            input.attributes.get(prefixed.attribute).map(|found| found.name.local(input.text))
        };
        let literal = |prefixed: &Prefixed| self.literal(prefixed.namespace, input.scope);
        let mut rest = self.prefixed.as_slice();
        while let [first, others @ ..] = rest {
            let same = |other| local(first) == local(other) && literal(first) == literal(other);
            if others.iter().any(same) {
                return Err(TWICE);
            }
            rest = others;
        }
        Ok(())
    }

    /// The declared prefixes and their namespaces as written in the input.
    pub(crate) fn bindings<'a>(
        &'a self,
        scope: &'a NamespaceScope,
    ) -> impl Iterator<Item = (&'a str, &'a str)> {
        let literal = |binding: &Binding| self.literal(binding.namespace, scope);
        self.bindings.iter().map(move |binding| (binding.prefix.of(&self.kept), literal(binding)))
    }

    /// Frees the buffers if they are larger than `keep`.
    pub(crate) fn shrink(&mut self, keep: usize) {
        if self.kept.capacity() + size_of::<Binding>() * self.bindings.capacity() > keep {
            *self = Self::default();
        }
    }
}
