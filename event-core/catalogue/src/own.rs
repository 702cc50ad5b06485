//! Checks the namespaces and elements that a crate declares as its own.

use alloc::{format, vec::Vec};

use crate::{
    advice::{Advice, NameError, not_a, owned},
    features::is_only_feature,
    grammar,
    namespaces::{elements, is_known, namespaces, other_versions},
    near::is_close,
};

/// Checks a namespace that a crate declares.
///
/// # Errors
///
/// The namespace is malformed, known, or at most one edit from a known one. Another version of a
/// known namespace is accepted.
pub fn check_own_namespace(namespace: &str) -> Result<(), NameError> {
    check(namespace).map_err(NameError::from)
}

fn check(namespace: &str) -> Result<(), Advice> {
    grammar::check_namespace(namespace)
        .map_err(|malformed| Advice::new(not_a("namespace", namespace, malformed)))?;
    if is_known(namespace) {
        return Err(Advice::new(format!("the namespace `{namespace}` is known: leave it out")));
    }
    if is_only_feature(namespace) {
        return Err(Advice::new(format!("the feature `{namespace}` is known: leave it out")));
    }
    if other_versions(namespace).next().is_some() {
        return Ok(());
    }
    let close: Vec<_> = namespaces().filter(|known| is_close(namespace, known)).take(3).collect();
    if close.is_empty() {
        return Ok(());
    }
    let what = format!("`{namespace}` is too close to a known namespace to be declared");
    Err(Advice::new(what).suggest(owned(close)))
}

/// Checks an element, `XMLNS:TAG`, that a crate declares.
///
/// # Errors
///
/// The element is malformed or known, or its namespace is unknown and cannot be declared.
pub fn check_own_element(element: &str) -> Result<(), NameError> {
    let (namespace, tag) = grammar::split(element).map_err(|_| {
        let what = format!("`{element}` is not an element: expected `XMLNS:TAG`");
        NameError::from(Advice::new(what))
    })?;
    if !is_known(namespace) {
        return check_own_namespace(namespace);
    }
    let mut known = elements(namespace).peekable();
    if known.peek().is_none() {
        let what = format!("every element of `{namespace}` is accepted: leave it out");
        return Err(Advice::new(what).into());
    }
    if known.any(|known| known.name == tag) {
        let what = format!("the element `{element}` is known: leave it out");
        return Err(Advice::new(what).into());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{check_own_element, check_own_namespace};

    #[test]
    fn a_declared_namespace_is_unknown_and_not_close_to_a_known_one() {
        for own in ["urn:example:guestbook:0", "mine", "urn:xmpp:carbons:3", "urn:xmpp:carbons"] {
            assert_eq!(check_own_namespace(own), Ok(()), "{own}");
        }
        for (wrong, reason) in [
            ("urn:xmpp:ping", "is known"),
            ("urn:xmpp:pingg", "`urn:xmpp:ping`"),
            ("URN:xmpp:ping", "`urn:xmpp:ping`"),
            ("urn:xmpp:otr:0", "feature"),
            ("", "empty"),
            ("urn:x y", "' '"),
            ("xmlns=urn:example:x", "`xmlns=`"),
        ] {
            let error = check_own_namespace(wrong).unwrap_err();
            assert!(
                alloc::string::ToString::to_string(&error).contains(reason),
                "{wrong}: {error}"
            );
        }
    }

    #[test]
    fn a_declared_element_is_unknown() {
        for own in ["vcard-temp:photo", "urn:example:guestbook:0:entry", "urn:xmpp:sm:3:x"] {
            assert_eq!(check_own_element(own), Ok(()), "{own}");
        }
        for wrong in [
            "vcard-temp:vCard",
            "urn:xmpp:blocking:item",
            "urn:xmpp:pingg:x",
            "x",
            "jabber:client:x",
        ] {
            assert!(check_own_element(wrong).is_err(), "{wrong}");
        }
    }
}
