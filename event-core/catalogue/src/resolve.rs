//! Resolves a name to its event, or to the message that refuses it.

use crate::{
    error::NameError,
    name::{Fault, Name, read},
};

/// Reads a name. One whose namespace or element is [`undeclared`](Name::undeclared) is accepted only
/// in a crate that declares it; [`undeclared`] has the message for other crates.
///
/// # Errors
///
/// No event has this name, or its namespace looks like a misspelling of a known one, or the event
/// does not fire for its element.
pub fn resolve(name: &str) -> Result<Name<'_>, NameError> {
    read(name).map_err(|fault| NameError::refused(name, fault))
}

/// As [`resolve`], for a name that is only refused because its element is not seen in an iq of its
/// type.
///
/// # Errors
///
/// As [`resolve`]; or the name is accepted without insisting.
pub fn resolve_unusual(name: &str) -> Result<Name<'_>, NameError> {
    match read(name) {
        Ok(_) => Err(NameError::needless(name)),
        Err(Fault::OtherType(read, _)) => Ok(read),
        Err(fault) => Err(NameError::refused(name, fault)),
    }
}

/// The message about a name in a crate that does not declare its namespace or its element; `None`
/// for a name without an undeclared part.
#[must_use]
pub fn undeclared(name: &str, read: &Name<'_>) -> Option<NameError> {
    Some(NameError::undeclared(name, read, read.undeclared?))
}
