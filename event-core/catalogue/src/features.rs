//! The known features of service discovery (XEP-0030).

use alloc::{format, string::String, vec::Vec};

use crate::{
    advice::{Advice, NameError, not_a},
    grammar, lines,
    namespaces::{is_known, namespaces, other_versions},
    near::{closest, is_close},
};

/// The features that are not namespaces of elements, one per line, sorted.
const TEXT: &str = include_str!("../features.txt");

static LINES: [&str; lines::count(TEXT)] = lines::split(TEXT);

/// Whether `text` is a feature that is not the namespace of an element.
pub(crate) const fn is_only_feature(text: &str) -> bool {
    lines::find(&LINES, text).is_some()
}

/// Whether `feature` is known: a namespace, another feature, or `NODE+notify` with one of them.
#[must_use]
pub const fn is_known_feature(feature: &str) -> bool {
    let node = feature_node(feature);
    is_known(node) || is_only_feature(node)
}

/// `NODE` of the feature `NODE+notify`, which asks for notifications; any other feature as it is.
#[must_use]
pub const fn feature_node(feature: &str) -> &str {
    const NOTIFY: &[u8] = b"+notify";
    let Some(length) = feature.len().checked_sub(NOTIFY.len()) else { return feature };
    let Some((node, mut end)) = feature.as_bytes().split_at_checked(length) else { return feature };
    let mut notify = NOTIFY;
    while let ([a, rest @ ..], [b, expected @ ..]) = (end, notify) {
        if *a != *b {
            return feature;
        }
        (end, notify) = (rest, expected);
    }
    if node.is_empty() { feature } else { feature.split_at(length).0 }
}

/// Checks a feature. `Ok(None)` means that it is known. `Ok(Some(…))` is the message for a crate that
/// does not declare it.
///
/// # Errors
///
/// The feature is malformed, or looks like a misspelling of a known one.
pub fn check_feature(feature: &str) -> Result<Option<NameError>, NameError> {
    if is_known_feature(feature) {
        return Ok(None);
    }
    let node = feature_node(feature);
    grammar::check_namespace(node)
        .map_err(|malformed| Advice::new(not_a("feature", feature, malformed)))?;
    let known = || namespaces().chain(LINES.iter().copied());
    let versions: Vec<_> = other_versions(node).take(3).collect();
    let is_misspelt = versions.is_empty() && known().any(|known| is_close(node, known));
    let near = if versions.is_empty() { closest(node, known()) } else { versions };
    let notify = feature.get(node.len()..).unwrap_or_default();
    let near: Vec<String> = near.into_iter().map(|near| format!("{near}{notify}")).collect();
    let advice = Advice::new(format!("unknown feature `{feature}`")).suggest(near);
    if is_misspelt {
        return Err(advice.into());
    }
    Ok(Some(advice.declare("feature", "namespaces", node).into()))
}

#[cfg(test)]
mod tests {
    use super::{LINES, check_feature, is_known_feature};
    use crate::is_known;

    #[test]
    fn the_list_is_sorted_and_has_no_namespace() {
        assert!(LINES.is_sorted_by(|a, b| a < b));
        assert!(LINES.iter().all(|feature| is_known_feature(feature) && !is_known(feature)));
    }

    #[test]
    fn features_are_namespaces_other_features_and_nodes_to_be_notified_about() {
        const { assert!(is_known_feature("urn:xmpp:ping")) };
        for known in ["msgoffline", "urn:xmpp:bookmarks:1+notify", "urn:xmpp:bookmarks:1#compat"] {
            assert_eq!(check_feature(known), Ok(None));
        }
        let asks = |feature| check_feature(feature).is_ok_and(|advice| advice.is_some());
        assert!(asks("urn:example:mine:0") && asks("urn:example:mine:0+notify"));
        assert!(asks("urn:xmpp:carbons:7"));
        for wrong in ["", "urn:x y", "urn:xmpp:pin", "URN:XMPP:PING", "msg0ffline+notify"] {
            assert!(check_feature(wrong).is_err(), "{wrong}");
        }
    }
}
