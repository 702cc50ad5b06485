//! A rule for the reader.

/// Writes an attribute into the elements that are read, replacing an attribute of that name. This
/// costs less than [`Element::set_attribute`](crate::Element::set_attribute) afterwards.
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
}
