//! Limits on a frame of a stream.

/// Limits on a single frame. A frame above a limit is a `policy-violation` (RFC 6120 section
/// 4.9.3.14).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct XmlLimits {
    /// The size of a frame in bytes, before and after its conversion to normal form.
    pub max_stanza: usize,
    /// The depth of nested elements, including the root.
    pub max_depth: usize,
    /// The number of attributes of one element, including namespace declarations; also the number
    /// of prefixes in scope.
    pub max_attributes: usize,
}

impl XmlLimits {
    /// No limit except the maximum size of an index (512 MiB), for trusted input such as stored
    /// elements.
    pub const UNBOUNDED: Self =
        Self { max_stanza: usize::MAX, max_depth: usize::MAX, max_attributes: usize::MAX };
}

impl Default for XmlLimits {
    fn default() -> Self {
        Self { max_stanza: 256 * 1024, max_depth: 64, max_attributes: 64 }
    }
}
