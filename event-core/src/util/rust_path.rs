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
    // Evaluated for each hook that takes a context, so without calls.
    let mut index = 0;
    #[expect(clippy::indexing_slicing, reason = "inner is not shorter")]
    while index < outer.len() {
        if outer[index] != inner[index] {
            return false;
        }
        index += 1;
    }
    #[expect(clippy::indexing_slicing, reason = "index is the length of outer")]
    let ends = index == inner.len() || inner[index] == b':';
    ends
}
