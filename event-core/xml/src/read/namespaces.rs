//! Namespaces in effect while a frame is read.

use crate::{
    error::XmlError,
    read::start_tag::Span,
    stream::scope::{STANZA_NS, Scope, XML_NS, XMLNS_NS},
};

/// A namespace of the frame being read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ns {
    /// The content namespace of the stream, which becomes the stanza namespace.
    Content,
    /// `jabber:client` written out on a stream with another content namespace.
    Client,
    /// That of a prefix which the stream header declares, by its number there.
    Scope(usize),
    /// Any other one, by its place among the names kept.
    At(Span),
}

/// Bytes of a namespace name. Writing a prefix out repeats its namespace, so a long one would
/// make a small frame a large one.
pub(crate) const MAX_NAMESPACE: usize = 1024;

impl Ns {
    /// Whether it is the stanza namespace in normal form.
    pub(crate) fn is_stanza(self) -> bool {
        matches!(self, Self::Content | Self::Client)
    }
}

#[derive(Debug, Clone, Copy)]
struct Binding {
    prefix: Span,
    namespace: Ns,
}

/// The declared prefixes, innermost last, and the characters of all names they mention.
#[derive(Debug, Default)]
pub(crate) struct Names {
    kept: String,
    bindings: Vec<Binding>,
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

    /// Forgets the prefixes of an element that has ended.
    pub(crate) fn leave(&mut self, declared: usize) {
        self.bindings.truncate(declared);
    }

    fn keep(&mut self, name: &str) -> Span {
        let start = self.kept.len();
        self.kept.push_str(name);
        Span::new(start, self.kept.len())
    }

    /// One of the two namespaces that have a meaning of their own.
    fn special(name: &str, scope: &Scope) -> Option<Ns> {
        if name == scope.content_namespace() && scope.has_stanzas() {
            Some(Ns::Content)
        } else {
            (name == STANZA_NS).then_some(Ns::Client)
        }
    }

    pub(crate) fn namespace(&mut self, name: &str, scope: &Scope) -> Ns {
        Self::special(name, scope).unwrap_or_else(|| Ns::At(self.keep(name)))
    }

    /// What was written in the input.
    pub(crate) fn literal<'a>(&'a self, namespace: Ns, scope: &'a Scope) -> &'a str {
        match namespace {
            Ns::Content => scope.content_namespace(),
            Ns::Client => STANZA_NS,
            Ns::Scope(number) => scope.namespace(number),
            Ns::At(span) => span.of(&self.kept),
        }
    }

    /// What is written in the output.
    pub(crate) fn normal<'a>(&'a self, namespace: Ns, scope: &'a Scope) -> &'a str {
        match namespace {
            Ns::Content => STANZA_NS,
            other => self.literal(other, scope),
        }
    }

    /// Whether two namespaces are the same in the output.
    pub(crate) fn same(&self, one: Ns, other: Ns, scope: &Scope) -> bool {
        one == other || self.normal(one, scope) == self.normal(other, scope)
    }

    /// The value of an `xmlns` attribute.
    pub(crate) fn declare_default(&mut self, name: &str, scope: &Scope) -> Result<Ns, XmlError> {
        if name == XML_NS || name == XMLNS_NS {
            return Err(XmlError::NotWellFormed("reserved namespace"));
        }
        if name.len() > MAX_NAMESPACE {
            return Err(XmlError::TooLarge);
        }
        Ok(self.namespace(name, scope))
    }

    /// An `xmlns:prefix` attribute.
    pub(crate) fn declare(
        &mut self,
        prefix: &str,
        name: &str,
        scope: &Scope,
    ) -> Result<(), XmlError> {
        match (prefix, name) {
            ("xml", XML_NS) => return Ok(()),
            ("xml" | "xmlns", _) | (_, XML_NS | XMLNS_NS) => {
                return Err(XmlError::NotWellFormed("reserved prefix or namespace"));
            }
            (_, "") => return Err(XmlError::NotWellFormed("prefix without a namespace")),
            _ if name.len() > MAX_NAMESPACE => return Err(XmlError::TooLarge),
            _ => {}
        }
        let namespace = self.namespace(name, scope);
        let prefix = self.keep(prefix);
        self.bindings.push(Binding { prefix, namespace });
        Ok(())
    }

    /// The namespace of a prefix, and the number of its declaration; none for the stream's own.
    pub(crate) fn resolve(
        &self,
        prefix: &str,
        scope: &Scope,
    ) -> Result<(Ns, Option<usize>), XmlError> {
        let found = self.bindings.iter().rposition(|known| known.prefix.of(&self.kept) == prefix);
        if let Some(binding) = found.and_then(|at| self.bindings.get(at)) {
            return Ok((binding.namespace, found));
        }
        let number = scope.number(prefix).ok_or(XmlError::BadNamespacePrefix)?;
        let special = Self::special(scope.namespace(number), scope);
        Ok((special.unwrap_or(Ns::Scope(number)), None))
    }

    /// Gives back what a large frame has made it hold.
    pub(crate) fn shrink(&mut self, keep: usize) {
        if self.kept.capacity() + size_of::<Binding>() * self.bindings.capacity() > keep {
            *self = Self::default();
        }
    }
}
