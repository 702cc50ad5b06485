//! XML that modules store for clients.

use event_core::{
    prelude::*,
    xml::{NamespaceScope, XmlLimits},
};

/// Parses a stored element.
pub(crate) fn read(bytes: &[u8]) -> Result<Element, StanzaError> {
    Element::parse(bytes, &NamespaceScope::default(), &XmlLimits::UNBOUNDED).map_err(|error| {
        tracing::error!(%error, "cannot parse a stored element");
        StanzaError::internal_server_error()
    })
}

/// Whether an element has neither content nor attributes, and so need not be stored.
pub(crate) fn is_empty(element: &Element) -> bool {
    element.inner().is_empty() && element.attributes().next().is_none()
}
