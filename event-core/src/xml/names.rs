//! Namespaces in effect while a frame is read.

use super::{
    error::XmlError,
    scope::{STANZA_NS, Scope, XML_NS, XMLNS_NS},
    tag::Span,
};

/// A namespace of the frame being read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ns {
    /// The content namespace of the stream, which becomes the stanza namespace.
    Content,
    /// `jabber:client` written out on a stream with another content namespace.
    Client,
    /// Any other one, by its place among the names kept.
    At(Span),
}

impl Ns {
    /// Whether it is the stanza namespace in normal form.
    pub(super) fn is_stanza(self) -> bool {
        !matches!(self, Self::At(_))
    }
}

#[derive(Debug, Clone, Copy)]
struct Binding {
    prefix: Span,
    namespace: Ns,
}

/// The declared prefixes, innermost last, and the characters of all names they mention.
#[derive(Debug, Default)]
pub(super) struct Names {
    kept: String,
    bindings: Vec<Binding>,
}

impl Names {
    pub(super) fn clear(&mut self) {
        self.kept.clear();
        self.bindings.clear();
    }

    /// The number of prefixes declared so far.
    pub(super) fn declared(&self) -> usize {
        self.bindings.len()
    }

    /// Forgets the prefixes of an element that has ended.
    pub(super) fn leave(&mut self, declared: usize) {
        self.bindings.truncate(declared);
    }

    fn keep(&mut self, name: &str) -> Span {
        let start = self.kept.len();
        self.kept.push_str(name);
        Span::new(start, self.kept.len())
    }

    pub(super) fn namespace(&mut self, name: &str, scope: &Scope) -> Ns {
        if name == scope.content_namespace() && scope.has_stanzas() {
            Ns::Content
        } else if name == STANZA_NS {
            Ns::Client
        } else {
            Ns::At(self.keep(name))
        }
    }

    /// What was written in the input.
    pub(super) fn literal<'a>(&'a self, namespace: Ns, scope: &'a Scope) -> &'a str {
        match namespace {
            Ns::Content => scope.content_namespace(),
            Ns::Client => STANZA_NS,
            Ns::At(span) => span.of(&self.kept),
        }
    }

    /// What is written in the output.
    pub(super) fn normal(&self, namespace: Ns) -> &str {
        match namespace {
            Ns::Content | Ns::Client => STANZA_NS,
            Ns::At(span) => span.of(&self.kept),
        }
    }

    /// Whether two namespaces are the same in the output.
    pub(super) fn same(&self, one: Ns, other: Ns) -> bool {
        one == other || self.normal(one) == self.normal(other)
    }

    /// The value of an `xmlns` attribute.
    pub(super) fn default(&mut self, name: &str, scope: &Scope) -> Result<Ns, XmlError> {
        if name == XML_NS || name == XMLNS_NS {
            return Err(XmlError::NotWellFormed("reserved namespace"));
        }
        Ok(self.namespace(name, scope))
    }

    /// An `xmlns:prefix` attribute.
    pub(super) fn declare(
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
            _ => {}
        }
        let namespace = self.namespace(name, scope);
        let prefix = self.keep(prefix);
        self.bindings.push(Binding { prefix, namespace });
        Ok(())
    }

    /// The namespace of a prefix, and the number of its declaration; none for the stream's own.
    pub(super) fn resolve(
        &mut self,
        prefix: &str,
        scope: &Scope,
    ) -> Result<(Ns, Option<usize>), XmlError> {
        let found = self.bindings.iter().rposition(|known| known.prefix.of(&self.kept) == prefix);
        if let Some(binding) = found.and_then(|at| self.bindings.get(at)) {
            return Ok((binding.namespace, found));
        }
        let name = scope.prefix(prefix).ok_or(XmlError::BadNamespacePrefix)?;
        Ok((self.namespace(name, scope), None))
    }
}
