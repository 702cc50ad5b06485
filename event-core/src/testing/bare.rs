//! The dispatch without the routing around it, to be measured.

use std::{
    pin::pin,
    sync::Arc,
    task::{Context, Poll, Waker},
};

use super::Harness;
use jid::Jid;
use xmpp_xml::{Element, Limits, STANZA_NS, Scope};

use crate::{
    dispatch::{
        chain::{Begun, Chain},
        table::HostTable,
    },
    events::traits::Payload,
    protocol::{
        iq::{Iq, IqType},
        origin::Origin,
        stanza::{Message, Stanza},
    },
    routing::{core::Core, stanza_events::Kind},
};

/// A host's table and what leads to it.
#[derive(Debug)]
pub struct Bare {
    core: Arc<Core>,
    table: Arc<HostTable>,
    origin: Origin,
}

impl Bare {
    /// The first host's.
    pub fn new(harness: &Harness) -> Self {
        let host = harness.host();
        let table = host.table().clone();
        Self { core: Arc::clone(harness.core()), table, origin: Origin::Host(host) }
    }

    #[expect(clippy::expect_used, reason = "a mistake in the measurement itself")]
    fn stanza(&self, xml: &str) -> Stanza {
        let element = Element::parse(xml.as_bytes(), &Scope::new(STANZA_NS), &Limits::UNBOUNDED);
        let element = element.expect("an element");
        let jid = |name| element.attribute(name).map(|jid| Jid::new(&jid).expect("a JID"));
        let addresses = (jid("from"), jid("to"));
        Stanza::new(element, addresses, self.origin.clone()).expect("a stanza")
    }

    /// A message.
    pub fn message(&self, xml: &str) -> Message {
        Message::new(self.stanza(xml))
    }

    /// An iq.
    #[expect(clippy::expect_used, reason = "a mistake in the measurement itself")]
    pub fn iq(&self, xml: &str) -> Iq {
        let stanza = self.stanza(xml);
        let kind = stanza.type_().as_deref().and_then(IqType::parse);
        Iq::new(stanza, kind.expect("a type"))
    }

    /// Looks up the chain of `iq/DEST` and runs it.
    #[inline]
    pub fn fire_iq(&self, iq: &mut Iq) -> bool {
        fire(iq.post(&self.table), iq)
    }

    /// Looks up the chain of `message/DEST` and runs it.
    #[inline]
    pub fn fire_message(&self, message: &mut Message) -> bool {
        fire(message.post(&self.table), message)
    }

    /// Looks up the chain of `pre-message/DEST` and runs it.
    #[inline]
    pub fn fire_pre_message(&self, message: &mut Message) -> bool {
        fire(self.table.chain(Message::pre(message.destination())), message)
    }

    /// Looks up the chain of an iq.
    #[inline]
    pub fn look_up(&self, iq: &Iq) -> bool {
        iq.post(&self.table).is_some()
    }

    /// All that routing a message does to it once it has passed its pre-events: the host, its
    /// table, the chain.
    pub fn route_message(&self, message: &mut Message) -> bool {
        ready(self.core.fire_events(message, false)).1.is_none()
    }

    /// All that a client's message meets: as [`Bare::route_message`], but first the chain of
    /// `pre-message/DEST`.
    pub fn route_from_client(&self, message: &mut Message) -> bool {
        ready(self.core.fire_events(message, true)).1.is_none()
    }

    /// The same as [`Bare::route_message`] for an iq.
    pub fn route_iq(&self, iq: &mut Iq) -> bool {
        ready(self.core.fire_events(iq, false)).1.is_none()
    }
}

#[inline]
fn fire<P>(chain: Option<&Chain<P>>, payload: &mut P) -> bool
where
    P: for<'p> Payload<Of<'p> = P>,
{
    let Some(chain) = chain else { return true };
    match chain.begin(payload) {
        Begun::Ended(verdict) => verdict.is_none(),
        Begun::Waits(rest) => ready(chain.go_on(rest, payload)).is_none(),
    }
}

/// The output of a future that never waits.
#[inline]
fn ready<F: Future>(future: F) -> F::Output {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("a handler that is measured does not wait"),
    }
}
