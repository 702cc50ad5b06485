//! Reads one start tag strictly: names, quotes, white space. The namespaces are resolved in
//! [`namespaces`](crate::read::namespaces).

use std::borrow::Cow;

use crate::{
    error::XmlError,
    read::{
        chars::{self, NameByte, ValueByte, is_space},
        names::{self, MAX_NAME},
    },
    span::Span,
    write::escape,
};

/// A name with at most one colon.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Name {
    pub(crate) whole: Span,
    /// The start of the local part.
    pub(crate) local: u32,
}

impl Name {
    pub(crate) fn prefix<'a>(&self, text: &'a str) -> Option<&'a str> {
        let colon = (self.local as usize).checked_sub(1)?;
        (self.local > self.whole.start)
            .then(|| text.get(self.whole.start()..colon).unwrap_or_default())
    }

    pub(crate) fn local<'a>(&self, text: &'a str) -> &'a str {
        text.get(self.local as usize..self.whole.end()).unwrap_or_default()
    }
}

/// The kinds of attributes, by their names.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Kind {
    /// An attribute without a prefix, or with the prefix `xml`.
    #[default]
    Plain,
    /// `xmlns`.
    Default,
    /// `xmlns:` and a prefix.
    Prefix,
    /// An attribute with a prefix that has to be declared.
    Prefixed,
}

#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Attribute {
    pub(crate) kind: Kind,
    /// The start of the white space before the attribute.
    pub(crate) gap: u32,
    pub(crate) name: Name,
    /// The value as written, without the quotes.
    pub(crate) value: Span,
    /// Whether the value contains no reference and no white space to normalise.
    pub(crate) is_plain: bool,
}

impl Attribute {
    /// The position after the closing quote.
    pub(crate) fn end(&self) -> usize {
        self.value.end() + 1
    }

    /// The value, normalised.
    pub(crate) fn value<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let raw = self.value.of(text);
        if self.is_plain { Cow::Borrowed(raw) } else { escape::attribute(raw) }
    }
}

/// A start tag without its attributes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct StartTag {
    pub(crate) name: Name,
    /// The position after the `>`.
    pub(crate) end: usize,
    pub(crate) empty: bool,
    /// Whether an attribute is `xmlns`.
    pub(crate) has_default: bool,
    /// Whether an attribute has a prefix other than `xml`, or declares a prefix.
    pub(crate) has_prefixes: bool,
}

impl StartTag {
    fn note(&mut self, kind: Kind) {
        match kind {
            Kind::Plain => {}
            Kind::Default => self.has_default = true,
            Kind::Prefix | Kind::Prefixed => self.has_prefixes = true,
        }
    }
}

/// Finds the `>` of a start tag, in bytes that begin within the tag. `quote` is the open quote, if
/// any: before the call at the start of the bytes, after the call at their end.
pub(crate) fn tag_end(bytes: &[u8], quote: &mut Option<u8>) -> Option<usize> {
    let mut at = 0;
    loop {
        let rest = bytes.get(at..)?;
        if let Some(open) = *quote {
            at += memchr::memchr(open, rest)? + 1;
            *quote = None;
        } else {
            let found = rest.iter().position(|byte| matches!(byte, b'>' | b'"' | b'\''))?;
            match rest.get(found) {
                Some(b'>') => return Some(at + found),
                found => *quote = found.copied(),
            }
            at += found + 1;
        }
    }
}

/// Reads the start tag whose `<` is at `start`, and its attributes into `attributes`.
pub(crate) fn read_start(
    text: &str,
    start: usize,
    max_attributes: usize,
    attributes: &mut Vec<Attribute>,
) -> Result<StartTag, XmlError> {
    attributes.clear();
    let bytes = text.as_bytes();
    let name = read_name(text, start + 1)?;
    let mut tag = StartTag { name, end: 0, empty: false, has_default: false, has_prefixes: false };
    let mut at = name.whole.end();
    loop {
        let gap = at;
        at = skip_space(bytes, at);
        match bytes.get(at) {
            Some(b'>') => {
                tag.end = at + 1;
                return Ok(tag);
            }
            Some(b'/') if bytes.get(at + 1) == Some(&b'>') => {
                (tag.end, tag.empty) = (at + 2, true);
                return Ok(tag);
            }
            Some(_) => {}
            None => return Err(XmlError::NotWellFormed("unfinished tag")),
        }
        if at == gap {
            return Err(XmlError::NotWellFormed("no white space before an attribute"));
        }
        if attributes.len() >= max_attributes {
            return Err(XmlError::TooManyAttributes);
        }
        let attribute = read_attribute(text, gap, at)?;
        tag.note(attribute.kind);
        at = attribute.end();
        attributes.push(attribute);
    }
}

/// Reads the attribute that begins at `start`, after white space from `gap` on.
pub(crate) fn read_attribute(text: &str, gap: usize, start: usize) -> Result<Attribute, XmlError> {
    let bytes = text.as_bytes();
    let name = read_name(text, start)?;
    let kind = match name.prefix(text) {
        None if name.whole.of(text) == "xmlns" => Kind::Default,
        None | Some("xml") => Kind::Plain,
        Some("xmlns") => Kind::Prefix,
        Some(_) => Kind::Prefixed,
    };
    let mut at = skip_space(bytes, name.whole.end());
    if bytes.get(at) != Some(&b'=') {
        return Err(XmlError::NotWellFormed("attribute without a value"));
    }
    at = skip_space(bytes, at + 1);
    let Some(&quote @ (b'"' | b'\'')) = bytes.get(at) else {
        return Err(XmlError::NotWellFormed("value without quotes"));
    };
    // Values are short: one plain loop is faster than several `memchr`.
    let mut is_plain = true;
    let ends = |&byte: &u8| match chars::value_byte(byte) {
        ValueByte::Plain => false,
        ValueByte::Quote => byte == quote,
        ValueByte::Special => {
            is_plain = false;
            false
        }
    };
    let inside = bytes.get(at + 1..).unwrap_or_default();
    let length = inside
        .iter()
        .position(ends)
        .ok_or(XmlError::NotWellFormed("unfinished attribute value"))?;
    let value = Span::new(at + 1, at + 1 + length);
    if !is_plain {
        check_value(value.of(text))?;
    }
    if matches!(kind, Kind::Default | Kind::Prefix) {
        check_namespace(value.of(text))?;
    }
    Ok(Attribute { kind, gap: Span::new(gap, gap).start, name, value, is_plain })
}

fn check_value(raw: &str) -> Result<(), XmlError> {
    if raw.contains('<') {
        return Err(XmlError::NotWellFormed("`<` in an attribute value"));
    }
    // COMPAT: rxml, and clients that use rxml, refuse a CR in a value unless an LF follows.
    if raw.replace("\r\n", "").contains('\r') {
        return Err(XmlError::NotWellFormed("carriage return in an attribute value"));
    }
    chars::check_references(raw)
}

/// Checks a namespace as written, whose references are right. Not inlined, because most attributes
/// are none.
#[inline(never)]
fn check_namespace(raw: &str) -> Result<(), XmlError> {
    let is_right = is_common(raw) || is_usual_start(raw) && raw.bytes().all(names::is_uri_byte);
    if !is_right && names::odd_in_namespace(&escape::attribute(raw)).is_some() {
        return Err(XmlError::NotWellFormed("a namespace is not a URI"));
    }
    Ok(())
}

/// Reads the name that begins at `start`.
pub(crate) fn read_name(text: &str, start: usize) -> Result<Name, XmlError> {
    let rest = text.as_bytes().get(start..).unwrap_or_default();
    let plain = |byte: &u8| matches!(chars::name_byte(*byte), NameByte::Start | NameByte::Inside);
    let length = rest.iter().position(|byte| !plain(byte)).unwrap_or(rest.len());
    let starts = |byte: &u8| chars::name_byte(*byte) == NameByte::Start;
    let ends = |byte: &u8| chars::name_byte(*byte) == NameByte::Outside;
    let is_name = length <= MAX_NAME && rest.first().is_some_and(starts);
    if is_name && rest.get(length).is_none_or(ends) {
        let whole = Span::new(start, start + length);
        return Ok(Name { whole, local: whole.start });
    }
    read_long_name(text, start)
}

/// Does the same as [`read_name`] for a name with a colon or with characters beyond ASCII.
#[cold]
fn read_long_name(text: &str, start: usize) -> Result<Name, XmlError> {
    const BAD: XmlError = XmlError::NotWellFormed("bad name");
    let rest = text.get(start..).ok_or(BAD)?;
    let length = rest.bytes().position(chars::ends_name).unwrap_or(rest.len());
    let name = rest.get(..length).ok_or(BAD)?;
    if length > MAX_NAME {
        return Err(XmlError::NameTooLong);
    }
    let (prefix, local) = match name.split_once(':') {
        Some((prefix, local)) => (Some(prefix), local),
        None => (None, name),
    };
    if !chars::is_ncname(local) || !prefix.is_none_or(chars::is_ncname) {
        return Err(BAD);
    }
    let whole = Span::new(start, start + length);
    Ok(Name { whole, local: Span::new(start + length - local.len(), 0).start })
}

/// Whether two attributes have the same name, prefix included.
pub(crate) fn has_twice(text: &str, attributes: &[Attribute]) -> bool {
    let length = |attribute: &Attribute| attribute.name.whole.end - attribute.name.whole.start;
    let name = |attribute: &Attribute| attribute.name.whole.of(text);
    let mut rest = attributes;
    while let [first, others @ ..] = rest {
        let mut same = others.iter().filter(|other| length(other) == length(first));
        if same.any(|other| name(other) == name(first)) {
            return true;
        }
        rest = others;
    }
    false
}

pub(crate) fn skip_space(bytes: &[u8], from: usize) -> usize {
    let rest = bytes.get(from..).unwrap_or_default();
    from + rest.iter().position(|&b| !is_space(b)).unwrap_or(rest.len())
}

/// Whether a namespace is one of many stanzas, which needs no check.
fn is_common(namespace: &str) -> bool {
    matches!(
        namespace,
        "jabber:client"
            | "jabber:iq:roster"
            | "jabber:x:data"
            | "vcard-temp:x:update"
            | "urn:xmpp:delay"
            | "urn:xmpp:hints"
            | "urn:xmpp:mam:2"
            | "urn:xmpp:ping"
            | "urn:xmpp:receipts"
            | "urn:xmpp:sid:0"
            | "urn:xmpp:chat-markers:0"
            | "eu.siacs.conversations.axolotl"
            | "http://jabber.org/protocol/caps"
            | "http://jabber.org/protocol/chatstates"
            | "http://jabber.org/protocol/disco#info"
            | "http://jabber.org/protocol/disco#items"
            | "http://jabber.org/protocol/muc"
            | "http://jabber.org/protocol/muc#user"
            | "http://jabber.org/protocol/pubsub"
            | "http://jabber.org/protocol/pubsub#event"
    )
}

/// Whether a namespace begins as most do, with a scheme and an authority that are right. Compares
/// eight bytes at once.
fn is_usual_start(namespace: &str) -> bool {
    match namespace.as_bytes().first_chunk() {
        Some(b"urn:xmpp" | b"jabber:i" | b"jabber:x" | b"jabber:c") => true,
        Some(b"http://j") => namespace.starts_with("http://jabber.org/"),
        _ => false,
    }
}
