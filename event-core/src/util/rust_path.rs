//! Paths of Rust modules.

/// The crate of a path.
pub(crate) fn crate_of(path: &str) -> &str {
    path.split("::").next().unwrap_or(path)
}

/// Whether the Rust module `inner` is `outer` or is inside of `outer`.
pub(crate) const fn encloses(outer: &str, inner: &str) -> bool {
    let (outer, inner) = (outer.as_bytes(), inner.as_bytes());
    if outer.len() > inner.len() {
        return false;
    }
    let (start, rest) = inner.split_at(outer.len());
    let mut index = 0;
    while index < start.len() {
        #[expect(clippy::indexing_slicing, reason = "both are outer.len() long")]
        if start[index] != outer[index] {
            return false;
        }
        index += 1;
    }
    matches!(rest, [] | [b':', b':', ..])
}
