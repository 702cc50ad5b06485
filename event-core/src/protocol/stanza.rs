//! Stanzas: their addresses, their content and the answers to them.

use std::{
    borrow::Cow,
    ops::{Deref, DerefMut},
    sync::Arc,
};

use jid::Jid;
use xmpp_xml::{Child, Element, ElementBuilder, PayloadError, STANZA_NS};
use xso::{AsXml, FromXml};

use crate::{
    events::traits::Payload,
    protocol::{origin::Origin, reply::Reply, stanza_error::StanzaError},
    session::session::Session,
};

/// The three kinds of stanza (RFC 6120 §8).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StanzaKind {
    /// `<message/>`
    Message,
    /// `<presence/>`
    Presence,
    /// `<iq/>`
    Iq,
}

impl StanzaKind {
    /// The kind of the stanza; `None` when the element is not a stanza.
    pub fn of(element: &Element) -> Option<Self> {
        if element.namespace() != STANZA_NS {
            return None;
        }
        match element.name() {
            "message" => Some(Self::Message),
            "presence" => Some(Self::Presence),
            "iq" => Some(Self::Iq),
            _ => None,
        }
    }
}

/// The kind of address that a stanza is sent to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Destination {
    /// A JID with a localpart and a resource.
    Full,
    /// A JID with a localpart only.
    Bare,
    /// A domain, with or without a resource.
    Host,
    /// The sender's own account: no `to`, or the account's bare JID.
    Own,
}

/// A stanza of any kind. Handlers of `route/remote` receive stanzas in this form.
#[derive(Clone, Debug)]
pub struct Stanza {
    element: Element,
    kind: StanzaKind,
    to: Option<Jid>,
    from: Sender,
    origin: Origin,
}

/// The sender of a stanza.
#[derive(Clone, Debug)]
enum Sender {
    /// The client of the session in `origin`, which has bound a resource.
    Client,
    Jid(Jid),
    /// An address that the copies of a stanza share.
    Shared(Arc<Jid>),
    /// A client without a resource, or a server or component that has proved no domain.
    Unknown,
}

impl Payload for Stanza {
    type Of<'p> = Self;
}

impl Stanza {
    /// Makes a stanza. `kind` must be the result of [`StanzaKind::of`] for `element`.
    pub(crate) fn new(
        kind: StanzaKind,
        element: Element,
        (from, to): (Option<Jid>, Option<Jid>),
        origin: Origin,
    ) -> Self {
        let from = from.map_or(Sender::Unknown, Sender::Jid);
        Self { kind, element, to, from, origin }
    }

    /// Makes a stanza from a client that has bound a resource.
    pub(crate) fn from_client(
        kind: StanzaKind,
        element: Element,
        to: Option<Jid>,
        session: Session,
    ) -> Self {
        Self { kind, element, to, from: Sender::Client, origin: Origin::Session(session) }
    }

    /// Lets copies of the stanza share the sender's address.
    pub(crate) fn share_sender(mut self) -> Self {
        if let Sender::Jid(jid) = self.from {
            self.from = Sender::Shared(Arc::new(jid));
        }
        self
    }

    /// A copy for another recipient.
    pub(crate) fn addressed_to(&self, to: Jid) -> Self {
        Self {
            element: self.element.addressed_to(to.as_str()),
            kind: self.kind,
            to: Some(to),
            from: self.from.clone(),
            origin: self.origin.clone(),
        }
    }

    /// The session or host that the stanza came from.
    pub fn origin(&self) -> &Origin {
        &self.origin
    }

    /// The kind of stanza.
    pub fn kind(&self) -> StanzaKind {
        self.kind
    }

    /// The recipient; `None` for the sender's own account.
    pub fn to(&self) -> Option<&Jid> {
        self.to.as_ref()
    }

    /// The sender; `None` for a client that has bound no resource, and for a server or component
    /// that has proved no domain.
    pub fn from(&self) -> Option<&Jid> {
        match &self.from {
            Sender::Client => self.origin.session()?.jid().map(|full| &**full),
            Sender::Jid(jid) => Some(jid),
            Sender::Shared(jid) => Some(jid),
            Sender::Unknown => None,
        }
    }

    /// The `id` attribute.
    pub fn id(&self) -> Option<Cow<'_, str>> {
        self.element.attribute("id")
    }

    /// The `type` attribute.
    pub fn type_(&self) -> Option<Cow<'_, str>> {
        self.element.attribute("type")
    }

    /// Whether `type` is `error`.
    pub fn is_error(&self) -> bool {
        self.type_().as_deref() == Some("error")
    }

    /// The stanza as XML.
    pub fn element(&self) -> &Element {
        &self.element
    }

    /// The stanza as XML, for changes, which are delivered. A change of `to` or `from` does not
    /// change the route, because the addresses have already been read.
    pub fn element_mut(&mut self) -> &mut Element {
        &mut self.element
    }

    /// The first child with this name and namespace.
    pub fn child(&self, name: &str, namespace: &str) -> Option<Child<'_>> {
        self.element.child(name, namespace)
    }

    /// The first child element, parsed into the type of its specification.
    ///
    /// ```
    /// # use event_core::{prelude::*, xmpp_parsers::version::VersionQuery};
    /// fn answer(iq: &Iq) -> Result<(), StanzaError> {
    ///     let VersionQuery = iq.payload()?;
    ///     Ok(())
    /// }
    /// ```
    ///
    /// # Errors
    /// There is no child element, or the first one cannot be parsed as a `T`. The error converts
    /// into the [`StanzaError`] `bad-request`.
    pub fn payload<T: FromXml>(&self) -> Result<T, PayloadError> {
        self.element.first_child().ok_or(PayloadError::Missing)?.parse_as()
    }

    /// Parses the whole stanza into a type of `xmpp_parsers`, such as its `Message` or `Presence`.
    ///
    /// # Errors
    /// The stanza cannot be parsed as a `T`.
    pub fn parse<T: FromXml>(&self) -> Result<T, PayloadError> {
        self.element.parse_as()
    }

    /// An answer without a payload; for an iq, an empty result.
    pub fn reply(&self) -> Reply {
        Reply(self.result().build())
    }

    /// An answer with a payload; for an iq, a result.
    pub fn reply_with(&self, payload: impl AsXml) -> Reply {
        match Element::from_xso(&payload) {
            Ok(payload) => self.reply_with_element(&payload),
            Err(error) => {
                tracing::error!(%error, "the payload of an answer could not be written as XML");
                self.reply()
            }
        }
    }

    /// An answer with a payload given as an element.
    pub fn reply_with_element(&self, payload: &Element) -> Reply {
        Reply(self.result().child(payload).build())
    }

    fn result(&self) -> ElementBuilder {
        self.answer(if self.kind == StanzaKind::Iq { Some("result") } else { None })
    }

    /// An answer of type `error`.
    pub fn error_reply(&self, error: &StanzaError) -> Reply {
        Reply(self.answer(Some("error")).child(&error.to_element()).build())
    }

    /// An answer to the sender with the same id (RFC 6120 §8.1.3, §8.2.3). Without `answer_type`
    /// the type is that of the stanza.
    fn answer(&self, answer_type: Option<&str>) -> ElementBuilder {
        let mut answer = ElementBuilder::new(self.element.name(), STANZA_NS);
        if let Some(value) = answer_type {
            answer = answer.attribute("type", value);
        } else if let Some(value) = self.type_() {
            answer = answer.attribute("type", &value);
        }
        if let Some(id) = self.id() {
            answer = answer.attribute("id", &id);
        }
        if let Some(from) = self.from() {
            answer = answer.attribute("to", from.as_str());
            // A stanza without `to` is answered by the sender's own account.
            match &self.to {
                Some(to) => answer = answer.attribute("from", to.as_str()),
                None => answer = answer.attribute("from", from.to_bare().as_str()),
            }
        } else if let Some(to) = &self.to {
            answer = answer.attribute("from", to.as_str());
        }
        answer
    }

    /// The kind of address in `to`.
    pub fn destination(&self) -> Destination {
        match &self.to {
            None => Destination::Own,
            Some(to) if to.node().is_none() => Destination::Host,
            Some(to) if to.resource().is_some() => Destination::Full,
            Some(_) => Destination::Bare,
        }
    }

    /// Addresses the stanza to the sender's own account.
    pub(crate) fn clear_to(&mut self) {
        self.to = None;
        self.element.set_attribute("to", None);
    }

    /// Whether the stanza may be answered; errors and iq results must not be (RFC 6120 §8.3.1).
    pub(crate) fn may_be_answered(&self) -> bool {
        match self.type_().as_deref() {
            Some("error") => false,
            Some("result") => self.kind != StanzaKind::Iq,
            _ => true,
        }
    }
}

macro_rules! stanza_payload {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug)]
        pub struct $name {
            stanza: Stanza,
        }

        impl $name {
            pub(crate) fn new(stanza: Stanza) -> Self {
                Self { stanza }
            }
        }

        impl Payload for $name {
            type Of<'p> = Self;
        }

        impl Deref for $name {
            type Target = Stanza;

            fn deref(&self) -> &Stanza {
                &self.stanza
            }
        }

        impl DerefMut for $name {
            fn deref_mut(&mut self) -> &mut Stanza {
                &mut self.stanza
            }
        }
    };
}

stanza_payload! {
    /// A `<message/>` that is being routed (RFC 6121 §5).
    Message
}

stanza_payload! {
    /// A `<presence/>` that is being routed (RFC 6121 §4).
    Presence
}
