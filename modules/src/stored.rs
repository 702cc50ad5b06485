//! XML as modules keep it for clients.

use event_core::{
    prelude::*,
    xml::{Limits, Scope},
};

/// Reads an element that was stored as its bytes.
pub(crate) fn read(bytes: &[u8]) -> Result<Element, StanzaError> {
    Element::parse(bytes, &Scope::default(), &Limits::UNBOUNDED).map_err(|error| {
        tracing::error!(%error, "a stored element is damaged");
        StanzaError::internal_server_error()
    })
}

/// Whether there is nothing in an element: to keep it would be to keep nothing.
pub(crate) fn is_empty(element: &Element) -> bool {
    element.inner().is_empty() && element.attributes().next().is_none()
}
