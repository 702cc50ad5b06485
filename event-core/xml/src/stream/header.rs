//! The stream header (RFC 6120 section 4.7).

use crate::{
    error::XmlError,
    limits::XmlLimits,
    read::{
        chars,
        namespaces::{Input, Names},
        start_tag,
    },
    stream::scope::{NamespaceScope, STREAM_NS},
};

/// The start tag of a stream.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StreamHeader {
    /// The address of the receiving entity (RFC 6120 section 4.7.2).
    pub to: Option<String>,
    /// The address of the sender (RFC 6120 section 4.7.1).
    pub from: Option<String>,
    /// The stream identifier (RFC 6120 section 4.7.3).
    pub id: Option<String>,
    /// The version of XMPP, as written (RFC 6120 section 4.7.5).
    pub version: Option<String>,
    /// The default language of the stream (RFC 6120 section 4.7.4).
    pub lang: Option<String>,
    /// The default namespace; empty if none is declared. It is the content namespace, unless stanzas
    /// declare their own (RFC 6120 section 4.8.2).
    pub content_namespace: String,
    /// The namespaces with which the elements of the stream are read.
    pub scope: NamespaceScope,
    /// The name of the stream element with its prefix.
    name: String,
}

impl StreamHeader {
    /// Reads the frame that [`Frame::Header`](crate::Frame::Header) delimits.
    ///
    /// # Errors
    ///
    /// The conditions (RFC 6120 section 4.9.3) are:
    /// - `unsupported-encoding`: the encoding is not UTF-8.
    /// - `bad-namespace-prefix`: a prefix is not declared.
    /// - `invalid-namespace`: the element is not in the stream namespace.
    /// - `invalid-xml`: the name of the element is not `stream`.
    /// - `not-well-formed`: XML 1.0 or Namespaces in XML forbids the bytes.
    /// - `policy-violation`: a namespace is too long, or there are too many attributes.
    pub fn parse(bytes: &[u8]) -> Result<Self, XmlError> {
        let text = std::str::from_utf8(bytes).map_err(|_| XmlError::UnsupportedEncoding)?;
        chars::check(text)?;
        let start = declaration(text)?;
        let start = start_tag::skip_space(text.as_bytes(), start);
        if text.as_bytes().get(start) != Some(&b'<') {
            return Err(XmlError::NotWellFormed("text before the stream"));
        }
        let mut attributes = Vec::new();
        let max = XmlLimits::default().max_attributes;
        let tag = start_tag::read_start(text, start, max, &mut attributes)?;
        if tag.end != text.len() || tag.empty {
            return Err(XmlError::NotWellFormed("more than a start tag"));
        }
        // No namespace is declared around the header.
        let outer = NamespaceScope::new("");
        let mut names = Names::default();
        let input = Input { text, scope: &outer, tag: &tag, attributes: &attributes };
        let none = names.content(&outer);
        let namespaces = names.resolve_tag(&input, (none, none), max)?;
        names.check_unique(&input)?;
        let content = names.literal(namespaces.default, &outer);
        let scope =
            names.bindings(&outer).fold(NamespaceScope::new(content), |scope, (prefix, name)| {
                scope.with_prefix(prefix, name)
            });
        let mut header = Self {
            content_namespace: content.to_owned(),
            scope,
            name: tag.name.whole.of(text).to_owned(),
            ..Self::default()
        };
        let namespace = names.literal(namespaces.own, &outer);
        if namespace != STREAM_NS {
            return Err(XmlError::InvalidNamespace);
        }
        if tag.name.local(text) != "stream" {
            return Err(XmlError::InvalidXml("the root is not a stream"));
        }
        for attribute in &attributes {
            let slot = match attribute.name.whole.of(text) {
                "to" => &mut header.to,
                "from" => &mut header.from,
                "id" => &mut header.id,
                "version" => &mut header.version,
                "xml:lang" => &mut header.lang,
                _ => continue,
            };
            *slot = Some(attribute.value(text).into_owned());
        }
        Ok(header)
    }

    /// What a stream keeps of its header: the number of prefixes, and the bytes of the namespaces,
    /// the name and the id.
    #[must_use]
    pub fn kept(&self) -> (usize, usize) {
        let (prefixes, namespaces) = self.scope.size();
        let id = self.id.as_ref().map_or(0, String::len);
        (prefixes, namespaces + self.content_namespace.len() + self.name.len() + id)
    }

    /// Checks the frame that [`Frame::Close`](crate::Frame::Close) delimits.
    ///
    /// # Errors
    ///
    /// `not-well-formed` unless the frame is the end tag of this stream.
    pub fn check_close(&self, bytes: &[u8]) -> Result<(), XmlError> {
        bytes
            .strip_prefix(b"</")
            .and_then(|rest| rest.strip_prefix(self.name.as_bytes()))
            .and_then(|rest| rest.strip_suffix(b">"))
            .filter(|rest| rest.iter().all(|&b| chars::is_space(b)))
            .map(|_| ())
            .ok_or(XmlError::NotWellFormed("end tag without its start tag"))
    }
}

/// Checks the XML declaration, if any (RFC 6120 section 11.5), and returns the position after it.
fn declaration(text: &str) -> Result<usize, XmlError> {
    const BAD: XmlError = XmlError::NotWellFormed("XML declaration");
    if !text.starts_with("<?xml") {
        return Ok(0);
    }
    let end = text.find("?>").ok_or(BAD)?;
    let inside = text.get(..end).ok_or(BAD)?;
    let mut at = "<?xml".len();
    // The order is fixed, and only `version` is mandatory (XML 1.0 section 2.8).
    let mut next = ["version", "encoding", "standalone"].into_iter();
    loop {
        let gap = at;
        at = start_tag::skip_space(inside.as_bytes(), at);
        if at == end {
            break;
        }
        let attribute = start_tag::read_attribute(inside, gap, at)?;
        let name = attribute.name.whole.of(text);
        let value = attribute.value.of(text);
        let first = gap == "<?xml".len();
        if gap == at || (first && name != "version") || !next.any(|known| known == name) {
            return Err(BAD);
        }
        match name {
            "version" if value != "1.0" => return Err(BAD),
            "encoding" if !value.eq_ignore_ascii_case("utf-8") => {
                return Err(XmlError::UnsupportedEncoding);
            }
            "standalone" if !matches!(value, "yes" | "no") => return Err(BAD),
            _ => at = attribute.end(),
        }
    }
    // The declaration has no version.
    if text.get("<?xml".len()..end).is_none_or(|inside| inside.trim().is_empty()) {
        return Err(BAD);
    }
    Ok(end + 2)
}
