//! An element that is not a stanza.

use xmpp_xml::Element;

use crate::{events::traits::Payload, session::session::Session};

/// An element that is not a stanza, such as an element of SASL or stream management.
#[derive(Debug)]
#[non_exhaustive]
pub struct Nonza {
    /// The session whose stream received the element.
    pub session: Session,
    /// The element.
    pub element: Element,
}

impl Nonza {
    pub(crate) fn new(session: Session, element: Element) -> Self {
        Self { session, element }
    }
}

impl Payload for Nonza {
    type Of<'p> = Self;
}
