//! Paths of Rust modules.

/// The crate of a path.
pub(crate) fn crate_of(path: &str) -> &str {
    path.split("::").next().unwrap_or(path)
}

/// Whether the Rust module `inner` is `outer` or is inside of `outer`.
///
/// Evaluated for each hook that takes a context, so without calls and eight bytes at a time: the
/// compiler interprets each step.
pub(crate) const fn encloses(outer: &str, inner: &str) -> bool {
    let (mut outer, mut inner) = (outer.as_bytes(), inner.as_bytes());
    while let (
        [a, b, c, d, e, f, g, h, outer_rest @ ..],
        [i, j, k, l, m, n, o, p, inner_rest @ ..],
    ) = (outer, inner)
    {
        if *a != *i
            || *b != *j
            || *c != *k
            || *d != *l
            || *e != *m
            || *f != *n
            || *g != *o
            || *h != *p
        {
            return false;
        }
        (outer, inner) = (outer_rest, inner_rest);
    }
    while let ([a, outer_rest @ ..], [b, inner_rest @ ..]) = (outer, inner) {
        if *a != *b {
            return false;
        }
        (outer, inner) = (outer_rest, inner_rest);
    }
    outer.is_empty() && matches!(inner, [] | [b':', ..])
}

#[cfg(test)]
mod tests {
    use super::encloses;

    #[test]
    fn encloses_itself_and_what_is_inside() {
        assert!(encloses("spondee_modules::muc", "spondee_modules::muc"));
        assert!(encloses("spondee_modules::muc", "spondee_modules::muc::occupants"));
        assert!(encloses("muc", "muc::rooms"));
        assert!(!encloses("spondee_modules::muc", "spondee_modules::mucous"));
        assert!(!encloses("spondee_modules::muc", "spondee_modules::mam"));
        assert!(!encloses("spondee_modules::muc", "spondee_modules"));
        assert!(!encloses("spondee_modules::muc::occupants", "spondee_modules::muc"));
        assert!(!encloses("muc", "mam"));
    }
}
