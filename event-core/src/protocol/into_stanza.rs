//! Values that can be written as a stanza.

use xmpp_parsers::{iq, message, presence};
use xmpp_xml::{Element, PayloadError};

use crate::protocol::reply::Reply;

/// Anything that is, or can be written as, a stanza.
pub trait IntoStanza {
    /// The stanza.
    ///
    /// # Errors
    /// It cannot be written.
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
