//! The namespaces that a stream header declares.

use std::borrow::Cow;

/// The namespace that replaces the content namespace of each kind of stream (RFC 6120 section
/// 4.8.3), so that the same bytes can be written to all streams.
pub const STANZA_NS: &str = "jabber:client";
/// The content namespace of components' streams.
const COMPONENT_NS: &str = "jabber:component:accept";
/// The content namespaces of all kinds of streams (RFC 6120 section 4.8.2, XEP-0114).
pub(crate) const CONTENT: [&str; 3] = [STANZA_NS, "jabber:server", COMPONENT_NS];
/// The index in [`CONTENT`].
#[inline]
pub(crate) fn content_number(name: &str) -> Option<usize> {
    // Faster than a search.
    match name {
        STANZA_NS => Some(0),
        "jabber:server" => Some(1),
        COMPONENT_NS => Some(2),
        _ => None,
    }
}

/// The namespace of the `xml` prefix.
pub(crate) const XML_NS: &str = "http://www.w3.org/XML/1998/namespace";
/// The namespace of the `xmlns` prefix.
pub(crate) const XMLNS_NS: &str = "http://www.w3.org/2000/xmlns/";
/// The namespace of the stream element, its features and its errors.
pub const STREAM_NS: &str = "http://etherx.jabber.org/streams";

/// The namespaces in effect at the top level of a stream (RFC 6120 section 4.8).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamespaceScope {
    content: Cow<'static, str>,
    /// The default namespace, if it is not the content namespace.
    default: Option<Cow<'static, str>>,
    prefixes: Vec<(Cow<'static, str>, Cow<'static, str>)>,
}

impl Default for NamespaceScope {
    /// The scope of a client stream whose header declares no prefix.
    fn default() -> Self {
        Self { content: Cow::Borrowed(STANZA_NS), default: None, prefixes: Vec::new() }
    }
}

impl NamespaceScope {
    /// Makes a scope with this default namespace and no prefix.
    #[must_use]
    pub fn new(content_namespace: &str) -> Self {
        Self { content: known(content_namespace), default: None, prefixes: Vec::new() }
    }

    /// Declares a prefix. An earlier declaration of the prefix is replaced.
    #[must_use]
    pub fn with_prefix(mut self, prefix: &str, namespace: &str) -> Self {
        self.prefixes.retain(|(known, _)| known != prefix);
        self.prefixes.push((known(prefix), known(namespace)));
        self
    }

    /// Sets the content namespace and keeps the default namespace: each stanza then declares its own
    /// namespace (RFC 6120 section 4.8.2).
    #[must_use]
    pub fn with_content(mut self, content_namespace: &str) -> Self {
        if self.content != content_namespace {
            let default = std::mem::replace(&mut self.content, known(content_namespace));
            self.default.get_or_insert(default);
        }
        self
    }

    /// The content namespace, e.g. `jabber:client` or `jabber:server`.
    #[must_use]
    pub fn content_namespace(&self) -> &str {
        &self.content
    }

    /// The default namespace, if it is not the content namespace.
    pub(crate) fn other_default(&self) -> Option<&str> {
        self.default.as_deref()
    }

    /// Whether the content namespace is one of stanzas, which is read as [`STANZA_NS`].
    #[must_use]
    pub fn has_stanzas(&self) -> bool {
        CONTENT.contains(&self.content.as_ref())
    }

    /// Whether the stream is that of an external component (XEP-0114).
    #[cold]
    pub(crate) fn is_component(&self) -> bool {
        self.content == COMPONENT_NS
    }

    /// The number of prefixes, and the bytes of all names.
    pub(crate) fn size(&self) -> (usize, usize) {
        let bytes = self.prefixes.iter().map(|(prefix, name)| prefix.len() + name.len());
        (self.prefixes.len(), self.content.len() + bytes.sum::<usize>())
    }

    /// The number of a declared prefix.
    pub(crate) fn number(&self, prefix: &str) -> Option<usize> {
        self.prefixes.iter().position(|(known, _)| known == prefix)
    }

    /// The namespace of the prefix with this number.
    pub(crate) fn namespace(&self, number: usize) -> &str {
        self.prefixes.get(number).map_or("", |(_, namespace)| namespace)
    }
}

/// Borrows the common names, because copies on the heap would cost memory for each stream.
fn known(name: &str) -> Cow<'static, str> {
    const KNOWN: [&str; 8] = [
        STANZA_NS,
        "jabber:server",
        COMPONENT_NS,
        STREAM_NS,
        "stream",
        "db",
        "jabber:server:dialback",
        "",
    ];
    match KNOWN.into_iter().find(|known| *known == name) {
        Some(known) => Cow::Borrowed(known),
        None => Cow::Owned(name.to_owned()),
    }
}
