//! The strict reading of one start tag: names, quotes, white space. It knows nothing of namespaces.

use super::{
    chars::{self, NameByte, is_space},
    error::XmlError,
};

/// A stretch of the text at hand. 32 bits, because frames are far smaller and an index of them is
/// kept with each stanza.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Span {
    pub(super) start: u32,
    pub(super) end: u32,
}

impl Span {
    pub(super) fn new(start: usize, end: usize) -> Self {
        // Frames are bounded well below this by the caller.
        let narrow = |at| u32::try_from(at).unwrap_or(u32::MAX);
        Self { start: narrow(start), end: narrow(end) }
    }

    pub(super) fn start(self) -> usize {
        self.start as usize
    }

    pub(super) fn end(self) -> usize {
        self.end as usize
    }

    pub(super) fn of(self, text: &str) -> &str {
        text.get(self.start()..self.end()).unwrap_or_default()
    }
}

/// A name with at most one colon.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Name {
    pub(super) whole: Span,
    /// Where the local part begins.
    pub(super) local: u32,
}

impl Name {
    pub(super) fn prefix<'a>(&self, text: &'a str) -> Option<&'a str> {
        let colon = (self.local as usize).checked_sub(1)?;
        (self.local > self.whole.start)
            .then(|| text.get(self.whole.start()..colon).unwrap_or_default())
    }

    pub(super) fn local<'a>(&self, text: &'a str) -> &'a str {
        text.get(self.local as usize..self.whole.end()).unwrap_or_default()
    }
}

/// What the name of an attribute makes of it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Kind {
    /// Without a prefix, or one of `xml:`.
    #[default]
    Plain,
    /// `xmlns`.
    Default,
    /// `xmlns:` and a prefix.
    Prefix,
    /// With a prefix that must be declared.
    Prefixed,
}

#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Attribute {
    pub(super) kind: Kind,
    /// Where the white space before it begins.
    pub(super) gap: u32,
    pub(super) name: Name,
    /// Between the quotes, as written.
    pub(super) value: Span,
}

impl Attribute {
    /// The end of the attribute, its closing quote included.
    pub(super) fn end(&self) -> usize {
        self.value.end() + 1
    }
}

/// What a start tag is, apart from its attributes.
#[derive(Debug, Clone, Copy)]
pub(super) struct StartTag {
    pub(super) name: Name,
    /// The position after its `>`.
    pub(super) end: usize,
    pub(super) empty: bool,
}

/// Where the `>` of a start tag is, in bytes that begin within it. `quote` is the one that is open
/// there, and at their end.
pub(super) fn tag_end(bytes: &[u8], quote: &mut Option<u8>) -> Option<usize> {
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
pub(super) fn read_start(
    text: &str,
    start: usize,
    max_attributes: usize,
    attributes: &mut Vec<Attribute>,
) -> Result<StartTag, XmlError> {
    attributes.clear();
    let bytes = text.as_bytes();
    let end = bytes.len();
    let name = read_name(text, start + 1, end)?;
    let mut at = name.whole.end();
    loop {
        let gap = at;
        at = skip_space(bytes, at, end);
        match bytes.get(at..) {
            Some([b'>', ..]) => return Ok(StartTag { name, end: at + 1, empty: false }),
            Some([b'/', b'>', ..]) => return Ok(StartTag { name, end: at + 2, empty: true }),
            Some([_, ..]) => {}
            _ => return Err(XmlError::NotWellFormed("unfinished tag")),
        }
        if at == gap {
            return Err(XmlError::NotWellFormed("no white space before an attribute"));
        }
        if attributes.len() >= max_attributes {
            return Err(XmlError::TooManyAttributes);
        }
        let attribute = read_attribute(text, gap, at, end)?;
        at = attribute.end();
        attributes.push(attribute);
    }
}

pub(super) fn read_attribute(
    text: &str,
    gap: usize,
    start: usize,
    end: usize,
) -> Result<Attribute, XmlError> {
    let bytes = text.as_bytes();
    let name = read_name(text, start, end)?;
    let kind = match name.prefix(text) {
        None if name.whole.of(text) == "xmlns" => Kind::Default,
        None | Some("xml") => Kind::Plain,
        Some("xmlns") => Kind::Prefix,
        Some(_) => Kind::Prefixed,
    };
    let mut at = skip_space(bytes, name.whole.end(), end);
    if at >= end || bytes.get(at) != Some(&b'=') {
        return Err(XmlError::NotWellFormed("attribute without a value"));
    }
    at = skip_space(bytes, at + 1, end);
    let quote = match bytes.get(at) {
        Some(&quote @ (b'"' | b'\'')) if at < end => quote,
        _ => return Err(XmlError::NotWellFormed("value without quotes")),
    };
    let inside = bytes.get(at + 1..end).unwrap_or_default();
    // Values are short: one plain loop is faster than several searches.
    let mut is_plain = true;
    let ends = |&byte: &u8| {
        is_plain &= !matches!(byte, b'<' | b'&' | b'\r');
        byte == quote
    };
    let length = inside
        .iter()
        .position(ends)
        .ok_or(XmlError::NotWellFormed("unfinished attribute value"))?;
    let value = Span::new(at + 1, at + 1 + length);
    let raw = value.of(text);
    // COMPAT: rxml, and with it the clients built on it, refuses a CR here that no LF follows.
    match is_plain {
        true => {}
        false if raw.contains('<') => {
            return Err(XmlError::NotWellFormed("`<` in an attribute value"));
        }
        false if raw.replace("\r\n", "").contains('\r') => {
            return Err(XmlError::NotWellFormed("carriage return in an attribute value"));
        }
        false => chars::check_references(raw)?,
    }
    Ok(Attribute { kind, gap: Span::new(gap, gap).start, name, value })
}

/// Reads the name that begins at `start`, and must not reach beyond `end`.
pub(super) fn read_name(text: &str, start: usize, end: usize) -> Result<Name, XmlError> {
    let rest = text.get(start..end).ok_or(XmlError::NotWellFormed("name expected"))?;
    let mut length = rest.len();
    let mut local = 0;
    let mut sound = true;
    let mut long = false;
    for (at, byte) in rest.bytes().enumerate() {
        match chars::name_byte(byte) {
            NameByte::Start => {}
            NameByte::Inside => sound &= at != local,
            NameByte::Colon => {
                sound &= local == 0 && at != 0;
                local = at + 1;
            }
            NameByte::Long => long = true,
            NameByte::Outside => {
                length = at;
                break;
            }
        }
    }
    if long {
        let name = rest.get(..length).unwrap_or_default();
        sound &= name.splitn(2, ':').all(chars::is_ncname);
    }
    if !sound || local == length {
        return Err(XmlError::NotWellFormed("bad name"));
    }
    let whole = Span::new(start, start + length);
    let local = Span::new(start + local, 0).start;
    Ok(Name { whole, local })
}

pub(super) fn skip_space(bytes: &[u8], from: usize, end: usize) -> usize {
    let rest = bytes.get(from..end).unwrap_or_default();
    from + rest.iter().position(|&b| !is_space(b)).unwrap_or(rest.len())
}
