//! Checks a frame in one pass, while [`NormalForm`] writes the element.

use std::cell::RefCell;

use crate::{
    element::{Element, index::Node},
    error::XmlError,
    limits::XmlLimits,
    read::{
        chars,
        namespaces::{Input, Names, Ns},
        normal_form::{Buffers, Head, NormalForm},
        stamp::Stamp,
        start_tag::{self, Attribute},
    },
    span::Span,
    stream::scope::{CONTENT, NamespaceScope, STANZA_NS},
};

/// The buffers of a read. Each thread keeps its buffers, because the allocations would cost far
/// more than the reading of an element.
#[derive(Debug, Default)]
struct Scratch {
    names: Names,
    attributes: Vec<Attribute>,
    open: Vec<Open>,
    buffers: Buffers,
}

/// The size in bytes up to which a buffer is kept after use.
const KEEP: usize = 64 * 1024;

/// The maximum length of a text. Positions have 32 bits, of which one marks the tail, and the
/// output can be longer than the input.
const LONGEST: usize = 1 << 29;

thread_local! {
    static SCRATCH: RefCell<Scratch> = RefCell::default();
}

/// An element whose end tag has not been read yet.
#[derive(Debug, Clone, Copy)]
struct Open {
    name: Span,
    prefix_length: u32,
    namespace: Ns,
    /// The default namespace within the element, in the input.
    default: Ns,
    /// The number of prefixes declared around the element.
    declared: usize,
}

impl Element {
    /// Reads one frame of a stream.
    ///
    /// # Errors
    ///
    /// RFC 6120 section 11, XML 1.0, Namespaces in XML 1.0 or a limit forbids the bytes.
    pub fn parse(
        bytes: &[u8],
        scope: &NamespaceScope,
        limits: &XmlLimits,
    ) -> Result<Self, XmlError> {
        parse(bytes, scope, limits, None)
    }

    /// Does the same as [`Element::parse`], and writes an attribute into the element.
    ///
    /// # Errors
    ///
    /// See [`Element::parse`]. The written attribute counts towards the limit of bytes.
    pub fn parse_stamped(
        bytes: &[u8],
        scope: &NamespaceScope,
        limits: &XmlLimits,
        stamp: &Stamp<'_>,
    ) -> Result<Self, XmlError> {
        parse(bytes, scope, limits, Some(stamp))
    }

    /// Reads the element at the start of `text`. Returns the element and its length, or `None` when
    /// the element is incomplete or not valid; [`Framer`](crate::Framer) and [`Element::parse`]
    /// tell which. This is faster than `Framer`, because the end of the element is not searched
    /// first.
    ///
    /// ```
    /// # use xmpp_xml::{Element, XmlLimits, NamespaceScope};
    /// let text = "<message to='juliet@example.com'/><mess";
    /// let first = Element::parse_first(text, &NamespaceScope::default(), &XmlLimits::default(), None);
    /// let (message, length) = first.unwrap();
    /// assert_eq!(message.to_string(), "<message to='juliet@example.com'/>");
    /// assert_eq!(&text[length..], "<mess");
    /// ```
    #[must_use]
    pub fn parse_first(
        text: &str,
        scope: &NamespaceScope,
        limits: &XmlLimits,
        stamp: Option<&Stamp<'_>>,
    ) -> Option<(Self, usize)> {
        let (element, length) = read(text, scope, limits, stamp).ok()?;
        let is_sound = length <= limits.max_stanza && chars::check(text.get(..length)?).is_ok();
        is_sound.then_some((element, length))
    }
}

fn parse(
    bytes: &[u8],
    scope: &NamespaceScope,
    limits: &XmlLimits,
    stamp: Option<&Stamp<'_>>,
) -> Result<Element, XmlError> {
    if bytes.len() > limits.max_stanza {
        return Err(XmlError::TooLarge);
    }
    let text = std::str::from_utf8(bytes).map_err(|_| XmlError::UnsupportedEncoding)?;
    chars::check(text)?;
    let (element, length) = read(text, scope, limits, stamp)?;
    if length != text.len() {
        return Err(XmlError::NotWellFormed("more than one element"));
    }
    Ok(element)
}

/// Reads an element. Returns the element and its length. The caller must check the characters,
/// before or after the call.
fn read(
    text: &str,
    scope: &NamespaceScope,
    limits: &XmlLimits,
    stamp: Option<&Stamp<'_>>,
) -> Result<(Element, usize), XmlError> {
    if text.len() > LONGEST {
        return Err(XmlError::TooLarge);
    }
    SCRATCH.with_borrow_mut(|kept| {
        let result = Parse::new(text, (scope, limits, stamp), kept).run();
        kept.shrink();
        result
    })
}

impl Scratch {
    /// Frees the buffers that are larger than `KEEP`.
    fn shrink(&mut self) {
        let Buffers { out, tail, nodes } = &mut self.buffers;
        if out.capacity() > KEEP {
            *out = String::new();
        }
        if tail.capacity() > KEEP {
            *tail = String::new();
        }
        if nodes.capacity() * size_of::<Node>() > KEEP {
            *nodes = Vec::new();
        }
        self.names.shrink(KEEP);
    }
}

struct Parse<'a> {
    text: &'a str,
    limits: &'a XmlLimits,
    scope: &'a NamespaceScope,
    names: &'a mut Names,
    attributes: &'a mut Vec<Attribute>,
    open: &'a mut Vec<Open>,
    out: NormalForm<'a>,
    /// The default namespace around the element.
    content: Ns,
    at: usize,
}

impl<'a> Parse<'a> {
    fn new(
        text: &'a str,
        (scope, limits, stamp): (&'a NamespaceScope, &'a XmlLimits, Option<&'a Stamp<'a>>),
        scratch: &'a mut Scratch,
    ) -> Self {
        let Scratch { names, attributes, open, buffers } = scratch;
        names.clear();
        open.clear();
        let out = NormalForm::new(text, stamp, buffers);
        let content = names.content(scope);
        Self { text, limits, scope, names, attributes, open, out, content, at: 0 }
    }

    fn run(mut self) -> Result<(Element, usize), XmlError> {
        let bytes = self.text.as_bytes();
        if bytes.first() != Some(&b'<') {
            return Err(XmlError::NotWellFormed("text outside an element"));
        }
        loop {
            // Here a `<` is at `self.at`.
            match bytes.get(self.at + 1) {
                Some(b'/') => self.end_tag()?,
                Some(b'!') => self.cdata()?,
                Some(b'?') => return Err(XmlError::RestrictedXml("processing instruction")),
                _ => self.start_tag()?,
            }
            if self.open.is_empty() {
                break;
            }
            self.character_data()?;
        }
        Ok((self.out.finish(self.at), self.at))
    }

    fn character_data(&mut self) -> Result<(), XmlError> {
        let rest = self.text.get(self.at..).unwrap_or_default();
        if rest.as_bytes().first() == Some(&b'<') {
            return Ok(());
        }
        let length = memchr::memchr(b'<', rest.as_bytes())
            .ok_or(XmlError::NotWellFormed("element without an end"))?;
        let raw = rest.get(..length).unwrap_or_default();
        chars::check_references(raw)?;
        if memchr::memchr(b']', raw.as_bytes()).is_some() && raw.contains("]]>") {
            return Err(XmlError::NotWellFormed("`]]>` in text"));
        }
        self.at += length;
        Ok(())
    }

    fn cdata(&mut self) -> Result<(), XmlError> {
        let rest = self.text.get(self.at..).unwrap_or_default();
        let Some(inside) = rest.strip_prefix("<![CDATA[") else {
            return Err(XmlError::RestrictedXml("comment or declaration"));
        };
        if self.open.is_empty() {
            return Err(XmlError::NotWellFormed("text outside an element"));
        }
        let length = memchr::memmem::find(inside.as_bytes(), b"]]>")
            .ok_or(XmlError::NotWellFormed("unfinished CDATA section"))?;
        self.at += "<![CDATA[".len() + length + "]]>".len();
        Ok(())
    }

    fn end_tag(&mut self) -> Result<(), XmlError> {
        let mismatch = XmlError::NotWellFormed("end tag without its start tag");
        let open = self.open.pop().ok_or(mismatch)?;
        let name = self.at + 2;
        let rest = self.text.get(name..).unwrap_or_default();
        let after = rest.strip_prefix(open.name.of(self.text)).ok_or(mismatch)?;
        let close = rest.len() - after.len();
        let end = start_tag::skip_space(rest.as_bytes(), close);
        if rest.as_bytes().get(end) != Some(&b'>') {
            return Err(mismatch);
        }
        if open.prefix_length != 0 {
            self.out.remove(name, name + open.prefix_length as usize);
        }
        self.at = name + end + 1;
        self.names.leave(open.declared);
        self.complete();
        Ok(())
    }

    /// Completes the index entry of an element that has ended.
    fn complete(&mut self) {
        if self.open.len() == 1 {
            self.out.end_child(self.at);
        }
    }

    fn start_tag(&mut self) -> Result<(), XmlError> {
        let depth = self.open.len();
        if depth >= self.limits.max_depth {
            return Err(XmlError::TooDeep);
        }
        let max = self.limits.max_attributes;
        let tag = start_tag::read_start(self.text, self.at, max, self.attributes)?;
        let declared = self.names.declared();
        let (default, parent) = match self.open.last() {
            Some(open) => (open.default, open.namespace),
            None => (self.content, Ns::Content),
        };
        let input =
            Input { text: self.text, scope: self.scope, tag: &tag, attributes: self.attributes };
        let namespaces = self.names.resolve_tag(&input, (default, parent), max)?;
        // In normal form, such a root would be in the content namespace of the stream. From a
        // component it is taken: many libraries send their stanzas in jabber:client.
        if let Ns::OtherContent(number) = namespaces.own
            && depth == 0
            && !(CONTENT.get(number) == Some(&STANZA_NS) && self.scope.is_component())
        {
            return Err(XmlError::InvalidNamespace);
        }
        self.names.check_unique(&input)?;
        self.out.start_tag(&Head {
            input: &input,
            names: self.names,
            namespaces: &namespaces,
            depth,
        });
        // Normal form can be longer than the input.
        if self.out.written() > self.limits.max_stanza.min(LONGEST) {
            return Err(XmlError::TooLarge);
        }
        self.at = tag.end;
        if tag.empty {
            self.names.leave(declared);
            self.complete();
        } else {
            self.open.push(Open {
                name: tag.name.whole,
                prefix_length: tag.name.local - tag.name.whole.start,
                namespace: namespaces.own,
                default: namespaces.default,
                declared,
            });
        }
        Ok(())
    }
}
