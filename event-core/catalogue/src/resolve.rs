//! Resolves a name to its event, or to the message that refuses it.

use crate::{
    error::NameError,
    name::{Name, Namespace, read},
};

/// Reads a name without checking whether its namespace looks like a misspelling.
///
/// # Errors
///
/// No event has this name.
pub fn parse(name: &str) -> Result<Name<'_>, NameError> {
    resolve(name, Namespace::Own)
}

/// Reads a name and checks its namespace.
///
/// # Errors
///
/// No event has this name, or its namespace is unknown and close to a known one.
pub fn resolve(name: &str, namespace: Namespace) -> Result<Name<'_>, NameError> {
    read(name, namespace).map_err(|fault| NameError::new(name, namespace, fault))
}
