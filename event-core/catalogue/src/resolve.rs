//! Resolves a name to its event, or to an error that says why no event has the name.

use crate::{
    advice::NameError,
    name::{Fault, Name, read},
};

/// Reads a name. If the catalogue does not know the namespace or the element, [`Name::undeclared`]
/// says which of them. The caller must then check that the crate declares it; if not, [`undeclared`]
/// has the message.
///
/// # Errors
///
/// No event has the name, the value in the place of `XMLNS:TAG` or `ID` is missing or malformed, the
/// namespace looks like a misspelling of a known one or is only a feature of service discovery, or
/// the event does not fire for the element.
pub fn resolve(name: &str) -> Result<Name<'_>, NameError> {
    read(name).map_err(|fault| NameError::refused(name, fault))
}

/// Reads the name of a hook with `insist`: accepts the names that [`resolve`] refuses because the
/// element is usually seen only in the other type of iq, get or set, and names with an undeclared
/// part. Such a name is a mistake in each crate: either the part is not declared, or the hook needs no
/// `insist`.
///
/// # Errors
///
/// [`resolve`] accepts the name, so that the hook needs no `insist`, or refuses it for another reason.
pub fn resolve_unusual(name: &str) -> Result<Name<'_>, NameError> {
    match read(name) {
        Ok(read) if read.undeclared.is_none() => Err(NameError::needless(name)),
        Ok(read) => Ok(read),
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
