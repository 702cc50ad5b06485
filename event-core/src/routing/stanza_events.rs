//! The kinds of stanzas, each with its events.

use event_catalogue::{Band, Family};
use xmpp_xml::Element;

use crate::{
    dispatch::{
        chain::{Chain, Verdict},
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
    routing::outbox::{OUTBOX, Outgoing},
};

/// A kind of stanza and its events.
pub(crate) trait Kind: Payload + Sized {
    /// `pre-NAME/full`, `/bare`, `/host`.
    fn pre(destination: Destination) -> EventId;
    fn stanza(&self) -> &Stanza;
    fn stanza_mut(&mut self) -> &mut Stanza;
    /// The chain of `NAME/DEST`, or of `NAME/bare` and `NAME/self` together.
    fn post<'t>(&self, table: &'t HostTable) -> Option<&'t Chain<Self>>;
    /// Whether the chain's end, or a panic in it, is answered.
    fn is_answered(&self) -> bool;
    /// A request that was dealt with, but by nobody who answered.
    fn is_forgotten(&self, _verdict: &Verdict) -> bool {
        false
    }
}

macro_rules! kind {
    ($name:ident, $own:ident, $pre:tt, $post:tt, $answered:literal) => {
        impl Kind for $name {
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

kind!(
    Message,
    message_self,
    (PreMessageFull, PreMessageBare, PreMessageHost),
    (MessageFull, MessageBare, MessageHost),
    true
);

kind!(
    Presence,
    presence_self,
    (PrePresenceFull, PrePresenceBare, PrePresenceHost),
    (PresenceFull, PresenceBare, PresenceHost),
    false
);

impl Kind for Iq {
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

    fn is_forgotten(&self, verdict: &Verdict) -> bool {
        // Then the answer is another's: the client it was delivered to, or another server.
        let passed_on = || {
            verdict.by.is_some_and(|meta| {
                meta.band() == Some(Band::Deliver) || meta.family == Family::RouteRemote
            })
        };
        self.iq_type().is_request()
            && matches!(verdict.outcome, Outcome::Handled)
            && !self.is_answered_later()
            && !passed_on()
            && !is_answer_waiting(self)
    }
}

/// A stanza as the events of its kind take it.
pub(crate) enum Routed {
    Message(Message),
    Presence(Presence),
    Iq(Iq),
}

impl Routed {
    /// `None` for an iq of no known type.
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

    /// What goes through events; what does not is delivered.
    pub(crate) fn of(outgoing: Outgoing) -> Option<Self> {
        match outgoing {
            Outgoing::Route(stanza) => {
                let routed = Self::new(stanza);
                if routed.is_none() {
                    tracing::error!("an iq of no known type was sent from here");
                }
                routed
            }
            Outgoing::Deliver(session, element) => {
                session.send(&element);
                None
            }
        }
    }

    /// What is first in the outbox of this turn.
    pub(crate) fn next() -> Option<Self> {
        let pop = || OUTBOX.try_with(|outbox| outbox.borrow_mut().pop()).ok().flatten();
        std::iter::from_fn(pop).find_map(Self::of)
    }
}

/// Whether a handler has sent an answer to `iq`.
fn is_answer_waiting(iq: &Iq) -> bool {
    // A query's answer does not wait: it has reached the handler that asked.
    if let Origin::Host(host) = iq.origin()
        && iq.is_query()
    {
        let core = host.try_core();
        return core.is_some_and(|core| !core.queries().is_waiting(iq));
    }
    let is_answer = |element: &Element| {
        element.name() == "iq"
            && element.attribute("id") == iq.id()
            && matches!(element.attribute("type").as_deref(), Some("result" | "error"))
    };
    OUTBOX
        .try_with(|outbox| {
            outbox.borrow().singles().any(|outgoing| match outgoing {
                Outgoing::Route(stanza) => is_answer(stanza.element()) && stanza.to() == iq.from(),
                Outgoing::Deliver(_, element) => is_answer(element),
            })
        })
        .unwrap_or(false)
}
