//! A view of an element within another.

use std::borrow::Cow;

use crate::{
    element::walk::{Head, Token, Walk},
    write::escape,
};

/// A borrowed view of an element within an [`Element`](crate::Element).
#[derive(Debug, Clone)]
pub struct Child<'a> {
    pub(crate) xml: &'a str,
    pub(crate) name_length: usize,
    pub(crate) head_length: usize,
    pub(crate) namespace: Cow<'a, str>,
    /// The `xml:lang` in effect around the element, as written.
    pub(crate) lang: Option<&'a str>,
}

impl<'a> Child<'a> {
    pub(crate) fn head(&self) -> Head<'a> {
        Head(self.xml.get(..self.head_length).unwrap_or_default())
    }

    /// The local name.
    #[inline]
    #[must_use]
    pub fn name(&self) -> &'a str {
        self.xml.get(1..=self.name_length).unwrap_or_default()
    }

    /// The namespace.
    #[inline]
    #[must_use]
    pub fn namespace(&self) -> &str {
        &self.namespace
    }

    /// Whether the element has this name and namespace.
    #[inline]
    #[must_use]
    pub fn is(&self, name: &str, namespace: &str) -> bool {
        self.name() == name && self.namespace == namespace
    }

    /// The value of an attribute that is in no namespace.
    #[must_use]
    pub fn attribute(&self, name: &str) -> Option<Cow<'a, str>> {
        if name == "xmlns" {
            return None;
        }
        self.head().attribute(name)
    }

    /// The language: the `xml:lang` of the element, or of the nearest ancestor that has one.
    #[must_use]
    pub fn lang(&self) -> Option<Cow<'a, str>> {
        self.lang_raw().map(escape::attribute)
    }

    pub(crate) fn lang_raw(&self) -> Option<&'a str> {
        self.head().raw("xml:lang").or(self.lang)
    }

    /// The text directly in the element, without the text of its children.
    #[must_use]
    pub fn text(&self) -> Cow<'a, str> {
        direct_text(self.inner())
    }

    /// The child elements in document order, found by a scan of the content.
    pub fn children(&self) -> impl Iterator<Item = Child<'a>> + use<'a> {
        Children {
            walk: Walk::new(self.inner()),
            xml: self.inner(),
            namespace: self.namespace.clone(),
            lang: self.lang_raw(),
        }
    }

    /// The first child element with this name and namespace.
    #[must_use]
    pub fn child(&self, name: &str, namespace: &str) -> Option<Child<'a>> {
        self.children().find(|child| child.is(name, namespace))
    }

    /// The first child element.
    #[must_use]
    pub fn first_child(&self) -> Option<Child<'a>> {
        self.children().next()
    }

    fn inner(&self) -> &'a str {
        inner(self.xml, self.head_length)
    }

    /// The bytes as written in the parent: without `xmlns` if the parent has the same namespace.
    #[inline]
    #[must_use]
    pub fn xml(&self) -> &'a [u8] {
        self.xml.as_bytes()
    }

    /// Writes the element as a child of an element in the namespace `parent`.
    pub(crate) fn push_under(&self, parent: &str, out: &mut String) {
        let head = self.head();
        let declared = head.attributes().find(|attribute| attribute.name == "xmlns");
        let name_end = 1 + self.name_length;
        let push = |out: &mut String, from: usize, to: usize| {
            out.push_str(self.xml.get(from..to).unwrap_or_default());
        };
        match (declared, self.namespace == parent) {
            // The parent declares the namespace, so the element's `xmlns` is not copied.
            (Some(written), true) => {
                push(out, 0, written.gap);
                push(out, written.end, self.xml.len());
            }
            (None, false) => {
                push(out, 0, name_end);
                out.push_str(" xmlns='");
                escape::push_attribute(out, &self.namespace);
                out.push('\'');
                push(out, name_end, self.xml.len());
            }
            _ => out.push_str(self.xml),
        }
    }
}

struct Children<'a> {
    walk: Walk<'a>,
    xml: &'a str,
    namespace: Cow<'a, str>,
    lang: Option<&'a str>,
}

impl<'a> Iterator for Children<'a> {
    type Item = Child<'a>;

    fn next(&mut self) -> Option<Child<'a>> {
        loop {
            let start = self.walk.position();
            let Token::Start(head) = self.walk.next()? else {
                continue;
            };
            self.walk.skip_content(head);
            return Some(Child {
                xml: self.xml.get(start..self.walk.position())?,
                name_length: head.name().len(),
                head_length: head.0.len(),
                namespace: head.attribute("xmlns").unwrap_or_else(|| self.namespace.clone()),
                lang: self.lang,
            });
        }
    }
}

/// The bytes between the start and the end tag.
pub(crate) fn inner(xml: &str, head_length: usize) -> &str {
    // The last `<` begins the end tag. An empty element has none: the range is not valid then, and
    // the result is empty.
    let end = memchr::memrchr(b'<', xml.as_bytes()).unwrap_or(xml.len());
    xml.get(head_length..end).unwrap_or_default()
}

/// The text of `content` outside of its elements.
pub(crate) fn direct_text(content: &str) -> Cow<'_, str> {
    if memchr::memchr(b'<', content.as_bytes()).is_none() {
        return escape::text(content);
    }
    let mut walk = Walk::new(content);
    let mut out = String::new();
    while let Some(token) = walk.next() {
        match token {
            Token::Start(head) => walk.skip_content(head),
            Token::Text(raw) => out.push_str(&escape::text(raw)),
            Token::CData(raw) => out.push_str(&escape::cdata(raw)),
            Token::End => {}
        }
    }
    Cow::Owned(out)
}

/// Whether an attribute is in no namespace or has the prefix `xml`.
pub(crate) fn plain(name: &str) -> bool {
    name != "xmlns" && (!name.contains(':') || name.starts_with("xml:"))
}
