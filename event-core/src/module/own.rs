//! The namespaces and elements that a crate declares as its own.

use event_catalogue::{feature_node, is_known_feature};

/// What [`module_crate!`](crate::module_crate) declares. The expansions of the attributes check it in
/// constants: the panic of a constant is a compiler error with the advice.
#[derive(Debug)]
#[doc(hidden)]
pub struct OwnNames {
    pub namespaces: &'static [&'static str],
    /// Each as `XMLNS:TAG`.
    pub elements: &'static [&'static str],
}

impl OwnNames {
    /// The names of a crate that declares none.
    pub const NONE: &'static Self = &Self { namespaces: &[], elements: &[] };

    /// Panics with `advice` unless the namespace, or the element of it, is declared.
    #[track_caller]
    pub const fn namespace(&self, namespace: &str, element: &str, advice: &str) {
        if !contains(self.namespaces, namespace) {
            self.element(element, advice);
        }
    }

    /// Panics with `advice` unless the element is declared.
    #[track_caller]
    pub const fn element(&self, element: &str, advice: &str) {
        if !contains(self.elements, element) {
            panic!("{}", advice);
        }
    }

    /// The same for a hook with `insist`, which the names that a crate declares do not need.
    #[track_caller]
    pub const fn insisted(&self, namespace: &str, element: &str, advice: &str, needless: &str) {
        self.namespace(namespace, element, advice);
        panic!("{}", needless);
    }

    /// Panics with `advice` unless the feature is known or declared as a namespace.
    #[track_caller]
    pub const fn feature(&self, feature: &str, advice: &str) {
        if !is_known_feature(feature) && !contains(self.namespaces, feature_node(feature)) {
            panic!("{}", advice);
        }
    }
}

const fn contains(mut list: &[&str], word: &str) -> bool {
    while let [first, rest @ ..] = list {
        if equal(first.as_bytes(), word.as_bytes()) {
            return true;
        }
        list = rest;
    }
    false
}

const fn equal(mut a: &[u8], mut b: &[u8]) -> bool {
    while let ([x, a_rest @ ..], [y, b_rest @ ..]) = (a, b) {
        if *x != *y {
            return false;
        }
        (a, b) = (a_rest, b_rest);
    }
    a.is_empty() && b.is_empty()
}
