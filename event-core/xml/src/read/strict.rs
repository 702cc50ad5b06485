//! One pass over a frame: checks it, brings it to normal form and indexes it.
//!
//! The output is the input with a few edits, so a frame that needs none is copied once as it came.

use std::{cell::RefCell, sync::Arc};

use crate::{
    element::{Element, Node, RootIndex, index::offset},
    error::XmlError,
    limits::Limits,
    read::{
        chars,
        namespaces::{Names, Ns},
        start_tag::{self, Attribute, Span},
    },
    stream::scope::Scope,
};

mod head;

/// What a parse needs besides its input and result; kept by each thread, since a stanza is far
/// cheaper to read than these are to allocate.
#[derive(Debug, Default)]
struct Scratch {
    names: Names,
    attributes: Vec<Attribute>,
    prefixed: Vec<Prefixed>,
    open: Vec<Open>,
    nodes: Vec<Node>,
    out: String,
    /// Namespaces whose written form is escaped.
    tail: String,
}

/// Above this a scratch buffer is given back after use.
const KEEP: usize = 64 * 1024;

/// Positions are kept in 32 bits, one of which marks the tail.
const LONGEST: usize = 1 << 29;

thread_local! {
    static SCRATCH: RefCell<Scratch> = RefCell::default();
}

/// An attribute with a prefix other than `xml` and `xmlns`.
#[derive(Debug, Clone, Copy)]
struct Prefixed {
    /// Its place among the attributes.
    attribute: usize,
    namespace: Ns,
    /// Whether its prefix is declared on its own element.
    here: bool,
}

/// An element whose end tag has not come yet.
#[derive(Debug, Clone, Copy)]
struct Open {
    name: Span,
    prefix_length: u32,
    namespace: Ns,
    /// The default namespace within it, in the input.
    default: Ns,
    /// How many prefixes were declared around it.
    declared: usize,
}

/// Reads a frame; a stanza's `from` becomes `stamp`, if there is one.
pub(crate) fn parse(
    bytes: &[u8],
    scope: &Scope,
    limits: &Limits,
    stamp: Option<&str>,
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

/// Reads the element that `text` begins with, if it is there as a whole and sound, and says how
/// long it is.
pub(crate) fn parse_first(
    text: &str,
    scope: &Scope,
    limits: &Limits,
    stamp: Option<&str>,
) -> Option<(Element, usize)> {
    let (element, length) = read(text, scope, limits, stamp).ok()?;
    let is_sound = length <= limits.max_stanza && chars::check(text.get(..length)?).is_ok();
    is_sound.then_some((element, length))
}

/// Reads an element of checked characters, and says where it ends.
fn read(
    text: &str,
    scope: &Scope,
    limits: &Limits,
    stamp: Option<&str>,
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
    /// Gives back what a large frame has made it hold.
    fn shrink(&mut self) {
        if self.out.capacity() > KEEP {
            self.out = String::new();
        }
        if self.tail.capacity() > KEEP {
            self.tail = String::new();
        }
        if self.nodes.capacity() * size_of::<Node>() > KEEP {
            self.nodes = Vec::new();
        }
        self.names.shrink(KEEP);
    }
}

struct Parse<'a> {
    text: &'a str,
    limits: &'a Limits,
    scope: &'a Scope,
    /// Written as the `from` of a stanza.
    stamp: Option<&'a str>,
    s: &'a mut Scratch,
    /// The default namespace around the element.
    content: Ns,
    at: usize,
    /// How far the input has been copied to `out`.
    copied: usize,
    root: RootIndex,
}

impl<'a> Parse<'a> {
    fn new(
        text: &'a str,
        (scope, limits, stamp): (&'a Scope, &'a Limits, Option<&'a str>),
        s: &'a mut Scratch,
    ) -> Self {
        s.names.clear();
        s.open.clear();
        s.nodes.clear();
        s.out.clear();
        s.tail.clear();
        let content = s.names.namespace(scope.content_namespace(), scope);
        let root = RootIndex::default();
        Self { text, limits, scope, stamp, s, content, at: 0, copied: 0, root }
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
            if self.s.open.is_empty() {
                break;
            }
            self.character_data()?;
        }
        let length = self.at;
        Ok((self.finish(), length))
    }

    /// Where an input position will be in the output; edits before it must have been made.
    fn output(&self, at: usize) -> usize {
        self.s.out.len() + at - self.copied
    }

    fn replace(&mut self, from: usize, to: usize, with: &str) {
        self.s.out.push_str(self.text.get(self.copied..from).unwrap_or_default());
        self.s.out.push_str(with);
        self.copied = to;
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
        if self.s.open.is_empty() {
            return Err(XmlError::NotWellFormed("text outside an element"));
        }
        let length = memchr::memmem::find(inside.as_bytes(), b"]]>")
            .ok_or(XmlError::NotWellFormed("unfinished CDATA section"))?;
        self.at += "<![CDATA[".len() + length + "]]>".len();
        Ok(())
    }

    fn end_tag(&mut self) -> Result<(), XmlError> {
        let mismatch = XmlError::NotWellFormed("end tag without its start tag");
        let open = self.s.open.pop().ok_or(mismatch)?;
        let name = self.at + 2;
        let rest = self.text.get(name..).unwrap_or_default();
        let after = rest.strip_prefix(open.name.of(self.text)).ok_or(mismatch)?;
        let close = rest.len() - after.len();
        let end = start_tag::skip_space(rest.as_bytes(), close);
        if rest.as_bytes().get(end) != Some(&b'>') {
            return Err(mismatch);
        }
        if open.prefix_length != 0 {
            self.replace(name, name + open.prefix_length as usize, "");
        }
        self.at = name + end + 1;
        self.s.names.leave(open.declared);
        self.close_node();
        Ok(())
    }

    /// Ends the entry of a direct child, when that is what has just ended.
    fn close_node(&mut self) {
        let end = offset(self.output(self.at));
        if self.s.open.len() == 1
            && let Some(node) = self.s.nodes.last_mut()
        {
            node.whole.end = end;
        }
    }

    fn start_tag(&mut self) -> Result<(), XmlError> {
        if self.s.open.len() >= self.limits.max_depth {
            return Err(XmlError::TooDeep);
        }
        let max = self.limits.max_attributes;
        let tag = start_tag::read_start(self.text, self.at, max, &mut self.s.attributes)?;
        let declared = self.s.names.declared();
        let names = self.resolve(&tag)?;
        self.check_unique()?;
        self.write_head(&tag, &names);
        // Normal form can be longer than what came.
        if self.s.out.len() + self.s.tail.len() > self.limits.max_stanza.min(LONGEST) {
            return Err(XmlError::TooLarge);
        }
        self.at = tag.end;
        if tag.empty {
            self.s.names.leave(declared);
            self.close_node();
        } else {
            self.s.open.push(Open {
                name: tag.name.whole,
                prefix_length: tag.name.local - tag.name.whole.start,
                namespace: names.namespace,
                default: names.default,
                declared,
            });
        }
        Ok(())
    }

    fn finish(self) -> Element {
        let Scratch { out, tail, nodes, .. } = self.s;
        let edited = self.copied != 0 || !tail.is_empty();
        let mut root = self.root;
        let text = self.text.get(..self.at).unwrap_or_default();
        let length = text.len() - self.copied + out.len();
        let buffer = if edited {
            out.push_str(text.get(self.copied..).unwrap_or_default());
            out.push_str(tail);
            root.namespace.place_tail(length);
            for node in nodes.iter_mut() {
                node.namespace.place_tail(length);
            }
            Arc::from(out.as_str())
        } else {
            Arc::from(text)
        };
        let children = (!nodes.is_empty()).then(|| Arc::from(nodes.as_slice()));
        Element { buffer, length: offset(length), index: root, children }
    }
}
