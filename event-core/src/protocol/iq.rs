//! An iq stanza (RFC 6120 §8.2.3).

use std::ops::{Deref, DerefMut};

use crate::{events::traits::Payload, protocol::stanza::Stanza};

/// The type of an iq (RFC 6120 §8.2.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IqType {
    /// A question.
    Get,
    /// An order.
    Set,
    /// The answer to either.
    Result,
    /// A refusal of either.
    Error,
}

impl IqType {
    /// Reads the `type` attribute.
    pub fn parse(value: &str) -> Option<Self> {
        match value {
            "get" => Some(Self::Get),
            "set" => Some(Self::Set),
            "result" => Some(Self::Result),
            "error" => Some(Self::Error),
            _ => None,
        }
    }

    /// Whether it waits for an answer.
    pub fn is_request(self) -> bool {
        matches!(self, Self::Get | Self::Set)
    }
}

/// An `<iq/>` on its way (RFC 6120 §8.2.3).
#[derive(Clone, Debug)]
pub struct Iq {
    pub(crate) stanza: Stanza,
    kind: IqType,
    pub(crate) later: bool,
    query: bool,
}

impl Payload for Iq {
    type Of<'p> = Self;
}

impl Deref for Iq {
    type Target = Stanza;

    fn deref(&self) -> &Stanza {
        &self.stanza
    }
}

impl DerefMut for Iq {
    fn deref_mut(&mut self) -> &mut Stanza {
        &mut self.stanza
    }
}

impl Iq {
    pub(crate) fn new(stanza: Stanza, kind: IqType) -> Self {
        Self { stanza, kind, later: false, query: false }
    }

    /// Get, set, result or error.
    pub fn iq_type(&self) -> IqType {
        self.kind
    }

    /// A request of this server's own, whose answer somebody waits for.
    pub(crate) fn query(mut self) -> Self {
        self.query = true;
        self
    }

    pub(crate) fn is_query(&self) -> bool {
        self.query
    }

    pub(crate) fn is_answered_later(&self) -> bool {
        self.later
    }

    /// Namespace and name of the payload.
    pub(crate) fn payload_name(&self) -> Option<(&str, &str)> {
        self.stanza.element.payload_name()
    }
}
