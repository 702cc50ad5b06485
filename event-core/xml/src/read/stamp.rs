//! A rule with which the reader sets an attribute.

/// A rule with which the reader sets an attribute of the elements that are read. This costs less
/// than a later call of [`Element::set_attribute`](crate::Element::set_attribute).
///
/// The rule applies to the root of a frame only, and only if the root is in the content namespace
/// of its stream.
#[derive(Debug, Clone, Copy)]
pub struct Stamp<'a> {
    /// Whether the rule applies to an element of this local name.
    pub is_for: fn(&str) -> bool,
    /// The attribute's name: a valid name without a prefix, other than `xmlns`.
    pub attribute: &'a str,
    /// The attribute's value, unescaped.
    pub value: &'a str,
    /// The `xml:lang` of the elements that have none, unescaped.
    pub lang: Option<&'a str>,
}
