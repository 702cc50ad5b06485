//! An iq stanza (RFC 6120 §8.2.3).

use std::ops::{Deref, DerefMut};

use crate::{events::traits::Payload, protocol::stanza::Stanza};

/// The type of an iq (RFC 6120 §8.2.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IqType {
    /// A request for information.
    Get,
    /// A request to change something.
    Set,
    /// The answer to a request that succeeded.
    Result,
    /// The answer to a request that failed.
    Error,
}

impl IqType {
    /// Parses the value of the `type` attribute.
    pub fn parse(value: &str) -> Option<Self> {
        match value {
            "get" => Some(Self::Get),
            "set" => Some(Self::Set),
            "result" => Some(Self::Result),
            "error" => Some(Self::Error),
            _ => None,
        }
    }

    /// Whether an iq of this type is a request, which must be answered.
    pub fn is_request(self) -> bool {
        matches!(self, Self::Get | Self::Set)
    }
}

/// An `<iq/>` that is being routed (RFC 6120 §8.2.3).
#[derive(Clone, Debug)]
pub struct Iq {
    stanza: Stanza,
    iq_type: IqType,
    is_answered_later: bool,
    is_query: bool,
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
    pub(crate) fn new(stanza: Stanza, iq_type: IqType) -> Self {
        Self { stanza, iq_type, is_answered_later: false, is_query: false }
    }

    /// The type of the iq.
    pub fn iq_type(&self) -> IqType {
        self.iq_type
    }

    /// Marks the iq as a request of this server whose answer a handler awaits.
    pub(crate) fn mark_query(mut self) -> Self {
        self.is_query = true;
        self
    }

    pub(crate) fn is_query(&self) -> bool {
        self.is_query
    }

    /// Marks the iq as answered by an `AnswerLater`.
    pub(crate) fn mark_answered_later(&mut self) {
        self.is_answered_later = true;
    }

    pub(crate) fn is_answered_later(&self) -> bool {
        self.is_answered_later
    }

    /// The namespace and name of the payload.
    pub(crate) fn payload_name(&self) -> Option<(&str, &str)> {
        self.stanza.element().payload_name()
    }
}
