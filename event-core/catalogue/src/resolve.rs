//! From a name to its event, or to the message that refuses it.

use crate::{
    error::NameError,
    name::{Name, Namespace, judge},
};

/// Reads a name without judging whether its namespace may be a misspelling.
///
/// # Errors
///
/// No event has this name.
pub fn parse(name: &str) -> Result<Name<'_>, NameError> {
    resolve(name, Namespace::Own)
}

/// Reads a name and judges its namespace.
///
/// # Errors
///
/// No event has this name, or its namespace is not known and close to one that is.
pub fn resolve(name: &str, namespace: Namespace) -> Result<Name<'_>, NameError> {
    judge(name, namespace).map_err(|fault| NameError::new(name, namespace, fault))
}
