//! Bounds on a frame of a stream.

/// Bounds on a single frame. A frame beyond them is a `policy-violation` (RFC 6120 section
/// 4.9.3.14).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct XmlLimits {
    /// Bytes of a frame, before and after its conversion to normal form.
    pub max_stanza: usize,
    /// Nested elements, the root included.
    pub max_depth: usize,
    /// Attributes of one element, namespace declarations included; also the prefixes in scope.
    pub max_attributes: usize,
}

impl XmlLimits {
    /// Only the bounds of the index (512 MiB), for trusted input such as stored elements.
    pub const UNBOUNDED: Self =
        Self { max_stanza: usize::MAX, max_depth: usize::MAX, max_attributes: usize::MAX };
}

impl Default for XmlLimits {
    fn default() -> Self {
        Self { max_stanza: 256 * 1024, max_depth: 64, max_attributes: 64 }
    }
}
