//! Builds elements.

use crate::{element::Element, write::writer::Writer};

/// Builds an element: first the start tag, then the content. The element is always well-formed:
/// values are escaped, and characters that XML forbids are replaced by U+FFFD.
#[derive(Debug)]
#[must_use]
pub struct ElementBuilder {
    writer: Box<Writer>,
}

impl ElementBuilder {
    /// Begins an element. `name` must not have a prefix; a name that streams do not accept is
    /// replaced by `_`. `namespace` must be a URI reference.
    ///
    /// # Panics
    ///
    /// In debug builds, when the name or the namespace is not valid.
    #[inline]
    pub fn new(name: &str, namespace: &str) -> Self {
        let mut writer = Writer::new();
        writer.start(name, namespace);
        Self { writer }
    }

    /// Adds an attribute in no namespace, or `xml:lang`. The attribute is omitted after text or a
    /// child, and if the element already has an attribute of this name.
    ///
    /// # Panics
    ///
    /// In debug builds, when the attribute is omitted.
    #[inline]
    pub fn attribute(mut self, name: &str, value: &str) -> Self {
        self.writer.attribute(name, value);
        self
    }

    /// Adds an attribute if there is a value.
    #[inline]
    pub fn optional_attribute(self, name: &str, value: Option<&str>) -> Self {
        match value {
            Some(value) => self.attribute(name, value),
            None => self,
        }
    }

    /// Appends text.
    #[inline]
    pub fn text(mut self, text: &str) -> Self {
        self.writer.text(text);
        self
    }

    /// Appends a child.
    #[inline]
    pub fn child(mut self, child: &Element) -> Self {
        self.writer.child(&child.as_child());
        self
    }

    /// Appends children.
    pub fn children<'a>(self, children: impl IntoIterator<Item = &'a Element>) -> Self {
        children.into_iter().fold(self, Self::child)
    }

    /// Ends the element.
    #[inline]
    #[must_use]
    pub fn build(self) -> Element {
        self.writer.finish()
    }
}

impl From<ElementBuilder> for Element {
    fn from(builder: ElementBuilder) -> Self {
        builder.build()
    }
}
