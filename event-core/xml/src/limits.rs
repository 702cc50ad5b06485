//! How much of everything one frame of a stream may have.

/// Bounds on a single frame; beyond them the stream is closed with `policy-violation`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of a stanza, or of the stream header.
    pub max_stanza: usize,
    /// Elements within elements, the stanza itself being the first.
    pub max_depth: usize,
    /// Attributes of one element, namespace declarations included.
    pub max_attributes: usize,
}

impl Limits {
    /// No bounds but those of the index; for what this server wrote itself.
    pub const UNBOUNDED: Self =
        Self { max_stanza: usize::MAX, max_depth: usize::MAX, max_attributes: usize::MAX };
}

impl Default for Limits {
    fn default() -> Self {
        Self { max_stanza: 256 * 1024, max_depth: 64, max_attributes: 64 }
    }
}
