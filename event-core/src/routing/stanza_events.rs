//! The events of each kind of stanza.

use event_catalogue::{Band, Family};
use xmpp_xml::Element;

use crate::{
    dispatch::{
        chain::{Chain, Stop},
        outcome::Outcome,
        table::HostTable,
    },
    events::{
        self,
        traits::{Event, EventId, Payload},
    },
    protocol::{
        iq::{Iq, IqType},
        origin::Origin,
        stanza::{Destination, Message, Presence, Stanza, StanzaKind},
    },
    routing::{
        outbox::{any_single_entry, take_next},
        outgoing::Outgoing,
        server_core::Core,
    },
};

/// The events of a kind of stanza.
pub(crate) trait StanzaEvents: Payload + Sized {
    /// The event that fires on the sender's host: `pre-NAME/full`, `/bare` or `/host`.
    fn pre(destination: Destination) -> EventId;
    fn stanza(&self) -> &Stanza;
    fn stanza_mut(&mut self) -> &mut Stanza;
    /// The chain that runs on the recipient's host: of `NAME/DEST`, or of `NAME/bare` and
    /// `NAME/self` together.
    fn post<'t>(&self, table: &'t HostTable) -> Option<&'t Chain<Self>>;
    /// Whether the sender gets an error when no handler took the stanza, or when a handler
    /// panicked.
    fn is_answered(&self) -> bool;
    /// Whether a handler took an iq request and neither answered nor passed the request on.
    fn lacks_answer(&self, _core: &Core, _verdict: &Stop) -> bool {
        false
    }
}

macro_rules! stanza_events {
    ($name:ident, $own:ident, $pre:tt, $post:tt, $answered:literal) => {
        impl StanzaEvents for $name {
            fn pre(destination: Destination) -> EventId {
                pick!(destination, $pre)
            }

            fn stanza(&self) -> &Stanza {
                self
            }

            fn stanza_mut(&mut self) -> &mut Stanza {
                self
            }

            fn post<'t>(&self, table: &'t HostTable) -> Option<&'t Chain<Self>> {
                match self.destination() {
                    Destination::Own => Some(table.$own()),
                    destination => table.chain(pick!(destination, $post)),
                }
            }

            fn is_answered(&self) -> bool {
                $answered
            }
        }
    };
}

macro_rules! pick {
    ($destination:expr, ($full:ident, $bare:ident, $host:ident)) => {
        match $destination {
            Destination::Full => events::$full::id(),
            Destination::Bare | Destination::Own => events::$bare::id(),
            Destination::Host => events::$host::id(),
        }
    };
}

stanza_events!(
    Message,
    message_self,
    (PreMessageFull, PreMessageBare, PreMessageHost),
    (MessageFull, MessageBare, MessageHost),
    true
);

stanza_events!(
    Presence,
    presence_self,
    (PrePresenceFull, PrePresenceBare, PrePresenceHost),
    (PresenceFull, PresenceBare, PresenceHost),
    false
);

impl StanzaEvents for Iq {
    fn pre(destination: Destination) -> EventId {
        pick!(destination, (PreIqFull, PreIqBare, PreIqHost))
    }

    fn stanza(&self) -> &Stanza {
        self
    }

    fn stanza_mut(&mut self) -> &mut Stanza {
        self
    }

    fn post<'t>(&self, table: &'t HostTable) -> Option<&'t Chain<Self>> {
        let id = if self.iq_type().is_request() { None } else { self.id() };
        table.iq(self.iq_type(), self.destination(), self.payload_name(), &id.unwrap_or_default())
    }

    fn is_answered(&self) -> bool {
        self.iq_type().is_request()
    }

    fn lacks_answer(&self, core: &Core, stop: &Stop) -> bool {
        // A request that was passed on is answered by the client or the server that receives it.
        let passed_on = || {
            stop.by.is_some_and(|meta| {
                meta.band() == Some(Band::Deliver) || meta.family == Family::RouteRemote
            })
        };
        self.iq_type().is_request()
            && matches!(stop.outcome, Outcome::Handled)
            && !self.is_answered_later()
            && !passed_on()
            && !has_sent_answer(core, self)
    }
}

/// A stanza as the payload of its kind's events.
pub(crate) enum TypedStanza {
    Message(Message),
    Presence(Presence),
    Iq(Iq),
}

impl TypedStanza {
    /// Returns `None` for an iq of an unknown type.
    pub(crate) fn new(stanza: Stanza) -> Option<Self> {
        Some(match stanza.kind() {
            StanzaKind::Message => Self::Message(Message::new(stanza)),
            StanzaKind::Presence => Self::Presence(Presence::new(stanza)),
            StanzaKind::Iq => {
                let iq_type = IqType::parse(&stanza.type_()?)?;
                Self::Iq(Iq::new(stanza, iq_type))
            }
        })
    }

    /// Returns the stanza of an entry that has to be routed. Writes any other entry to its session
    /// without any event.
    pub(crate) fn deliver_direct(outgoing: Outgoing) -> Option<Self> {
        match outgoing {
            Outgoing::Route(stanza) => {
                let routed = Self::new(stanza);
                if routed.is_none() {
                    tracing::error!("a module sent an iq of an unknown type; the iq is dropped");
                }
                routed
            }
            Outgoing::Deliver(session, element) => {
                session.send_own(&element);
                None
            }
        }
    }

    /// Takes the next stanza to route from the current turn's outbox. Delivers the entries before
    /// that stanza.
    pub(crate) fn take_next() -> Option<Self> {
        std::iter::from_fn(take_next).find_map(Self::deliver_direct)
    }
}

/// Whether a handler has sent an answer to `iq`.
fn has_sent_answer(core: &Core, iq: &Iq) -> bool {
    // The answer to a query does not go through the outbox.
    if matches!(iq.origin(), Origin::Host(_)) && iq.is_query() {
        return !core.queries().is_waiting(iq);
    }
    let is_answer = |element: &Element| {
        element.name() == "iq"
            && element.attribute("id") == iq.id()
            && matches!(element.attribute("type").as_deref(), Some("result" | "error"))
    };
    any_single_entry(|outgoing| match outgoing {
        Outgoing::Route(stanza) => is_answer(stanza.element()) && stanza.to() == iq.from(),
        Outgoing::Deliver(_, element) => is_answer(element),
    })
}
