//! Conversion into a stanza.

use xmpp_parsers::{iq, message, presence};
use xmpp_xml::{Element, PayloadError};

use crate::protocol::reply::Reply;

/// A stanza, or a value that can be converted into one.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a stanza that a module can send",
    label = "not a stanza",
    note = "of the stanza that a handler takes, send a copy: `message.element().clone()`"
)]
pub trait IntoStanza {
    /// The value as an element.
    ///
    /// # Errors
    /// The value cannot be written as XML.
    fn into_stanza(self) -> Result<Element, PayloadError>;
}

macro_rules! into_stanza {
    ($($type:ty),*) => {$(
        impl IntoStanza for $type {
            fn into_stanza(self) -> Result<Element, PayloadError> {
                Element::from_xso(&self)
            }
        }
    )*};
}

into_stanza!(message::Message, presence::Presence, iq::Iq);

impl IntoStanza for Element {
    fn into_stanza(self) -> Result<Element, PayloadError> {
        Ok(self)
    }
}

impl IntoStanza for Reply {
    fn into_stanza(self) -> Result<Element, PayloadError> {
        Ok(self.0)
    }
}
