//! Positions in a text.

/// A range of bytes in a text. Positions have 32 bits, which keeps the index of an element small
/// and is enough, because frames are limited to far less than 4 GiB.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Span {
    pub(crate) start: u32,
    pub(crate) end: u32,
}

impl Span {
    #[inline]
    pub(crate) fn new(start: usize, end: usize) -> Self {
        Self { start: offset(start), end: offset(end) }
    }

    #[inline]
    pub(crate) fn start(self) -> usize {
        self.start as usize
    }

    #[inline]
    pub(crate) fn end(self) -> usize {
        self.end as usize
    }

    #[inline]
    pub(crate) fn of(self, text: &str) -> &str {
        text.get(self.start()..self.end()).unwrap_or_default()
    }

    /// The range after an edit, in which `moved` maps old positions to new ones.
    #[inline]
    pub(crate) fn moved(self, moved: impl Fn(u32) -> u32) -> Self {
        Self { start: moved(self.start), end: moved(self.end) }
    }
}

/// Converts a position to the type that the index stores.
#[inline]
pub(crate) fn offset(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}
