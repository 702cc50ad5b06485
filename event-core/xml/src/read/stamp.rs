//! An attribute that the reader writes.

/// A rule for the reader: which attribute to write into which elements while they are read, in the
/// place of an attribute of that name. This costs less than an edit afterwards.
///
/// The rule holds for the root of a frame only, and only if the root is in the content namespace of
/// its stream.
#[derive(Debug, Clone, Copy)]
pub struct Stamp<'a> {
    /// Whether to write into an element of this local name.
    pub is_for: fn(&str) -> bool,
    /// The attribute's name, without a prefix.
    pub attribute: &'a str,
    /// The attribute's value, not escaped.
    pub value: &'a str,
}
