//! Stanzas as handlers see them: where one came from, what it says, and how to answer it.

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
    /// The kind of an element, if it is a stanza.
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

/// What kind of address a stanza goes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Destination {
    /// A JID with a localpart and a resource.
    Full,
    /// A JID with a localpart only.
    Bare,
    /// A domain, with or without a resource.
    Host,
    /// The sender's own account: no `to`, or its own bare JID.
    Own,
}

/// Any of the three kinds of stanza, as `route/remote` gives it.
#[derive(Clone, Debug)]
pub struct Stanza {
    pub(crate) element: Element,
    kind: StanzaKind,
    to: Option<Jid>,
    from: Sender,
    origin: Origin,
}

/// Who sent a stanza.
#[derive(Clone, Debug)]
enum Sender {
    /// The client whose session it came from, with a resource.
    Client,
    Jid(Jid),
    /// The same of many copies.
    Shared(Arc<Jid>),
    /// A client without a resource, or a server or component that has not said.
    Nobody,
}

impl Payload for Stanza {
    type Of<'p> = Self;
}

impl Stanza {
    /// `None` when the element is not a stanza.
    pub(crate) fn new(
        element: Element,
        (from, to): (Option<Jid>, Option<Jid>),
        origin: Origin,
    ) -> Option<Self> {
        let from = from.map_or(Sender::Nobody, Sender::Jid);
        Some(Self { kind: StanzaKind::of(&element)?, element, to, from, origin })
    }

    /// From a client with a resource. `None` when the element is not a stanza.
    pub(crate) fn of_client(element: Element, to: Option<Jid>, session: Session) -> Option<Self> {
        let (from, origin) = (Sender::Client, Origin::Session(session));
        Some(Self { kind: StanzaKind::of(&element)?, element, to, from, origin })
    }

    /// Makes copies cheaper.
    pub(crate) fn shared(mut self) -> Self {
        if let Sender::Jid(jid) = self.from {
            self.from = Sender::Shared(Arc::new(jid));
        }
        self
    }

    /// A copy for somebody else.
    pub(crate) fn addressed_to(&self, to: Jid) -> Self {
        Self {
            element: self.element.addressed_to(to.as_str()),
            kind: self.kind,
            to: Some(to),
            from: self.from.clone(),
            origin: self.origin.clone(),
        }
    }

    /// The local session, s2s stream, component or host that it came from.
    pub fn origin(&self) -> &Origin {
        &self.origin
    }

    /// Message, presence or iq.
    pub fn kind(&self) -> StanzaKind {
        self.kind
    }

    /// Who it is for; `None` when that is the sender's own account.
    pub fn to(&self) -> Option<&Jid> {
        self.to.as_ref()
    }

    /// Who sent it; `None` only before a resource is bound.
    pub fn from(&self) -> Option<&Jid> {
        match &self.from {
            Sender::Client => self.origin.session()?.jid().map(|full| &**full),
            Sender::Jid(jid) => Some(jid),
            Sender::Shared(jid) => Some(jid),
            Sender::Nobody => None,
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

    /// The stanza as XML, to be changed; what is changed is what is delivered. `to` and `from`
    /// have been read by then: changing them does not route it elsewhere.
    pub fn element_mut(&mut self) -> &mut Element {
        &mut self.element
    }

    /// The first child of a name and namespace.
    pub fn child(&self, name: &str, namespace: &str) -> Option<Child<'_>> {
        self.element.child(name, namespace)
    }

    /// The first child element, typed by its specification.
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
    /// There is no child, or it is not a `T`; as a [`StanzaError`] it is a `bad-request`.
    pub fn payload<T: FromXml>(&self) -> Result<T, PayloadError> {
        self.element.first_child().ok_or(PayloadError::Missing)?.parse_as()
    }

    /// Turns the whole stanza into a type of `xmpp_parsers`, as its `Message` or `Presence`.
    ///
    /// # Errors
    /// It is not a `T`.
    pub fn parse<T: FromXml>(&self) -> Result<T, PayloadError> {
        self.element.parse_as()
    }

    /// An answer without a payload: for an iq, its empty result.
    pub fn reply(&self) -> Reply {
        Reply(self.result().build())
    }

    /// An answer with a payload: for an iq, its result.
    pub fn reply_with(&self, payload: impl AsXml) -> Reply {
        match Element::from_xso(&payload) {
            Ok(payload) => self.reply_with_element(&payload),
            Err(error) => {
                tracing::error!(%error, "a payload could not be written");
                self.reply()
            }
        }
    }

    /// An answer with a payload that is XML already.
    pub fn reply_with_element(&self, payload: &Element) -> Reply {
        Reply(self.result().child(payload).build())
    }

    fn result(&self) -> ElementBuilder {
        self.answer(if self.kind == StanzaKind::Iq { Some("result") } else { None })
    }

    /// An answer that refuses.
    pub fn error_reply(&self, error: &StanzaError) -> Reply {
        Reply(self.answer(Some("error")).child(&error.to_element()).build())
    }

    /// Addressed back, with the same id (RFC 6120 §8.1.3, §8.2.3).
    fn answer(&self, kind: Option<&str>) -> ElementBuilder {
        let mut answer = ElementBuilder::new(self.element.name(), STANZA_NS);
        if let Some(kind) = kind {
            answer = answer.attribute("type", kind);
        } else if let Some(kind) = self.type_() {
            answer = answer.attribute("type", &kind);
        }
        if let Some(id) = self.id() {
            answer = answer.attribute("id", &id);
        }
        if let Some(from) = self.from() {
            answer = answer.attribute("to", from.as_str());
            // A self-addressed stanza lost its `to`: the account itself answers.
            match &self.to {
                Some(to) => answer = answer.attribute("from", to.as_str()),
                None => answer = answer.attribute("from", from.to_bare().as_str()),
            }
        } else if let Some(to) = &self.to {
            answer = answer.attribute("from", to.as_str());
        }
        answer
    }

    /// Where the stanza goes.
    pub fn destination(&self) -> Destination {
        match &self.to {
            None => Destination::Own,
            Some(to) if to.node().is_none() => Destination::Host,
            Some(to) if to.resource().is_some() => Destination::Full,
            Some(_) => Destination::Bare,
        }
    }

    pub(crate) fn clear_to(&mut self) {
        self.to = None;
        self.element.set_attribute("to", None);
    }

    /// Whether its sender may be told that something went wrong: errors and iq results never are.
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
    /// A `<message/>` on its way (RFC 6121 §5).
    Message
}

stanza_payload! {
    /// A `<presence/>` on its way (RFC 6121 §4).
    Presence
}
