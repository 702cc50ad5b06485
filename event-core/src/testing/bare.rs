//! Access to the dispatch tables without routing, for benchmarks.

use std::{
    pin::pin,
    sync::Arc,
    task::{Context, Poll, Waker},
};

use super::Harness;
use jid::Jid;
use xmpp_xml::{Element, NamespaceScope, STANZA_NS, XmlLimits};

use crate::{
    dispatch::{
        chain::{Chain, Ran, Resumed},
        table::HostTable,
    },
    events::traits::Payload,
    protocol::{
        iq::{Iq, IqType},
        origin::Origin,
        stanza::{Message, Stanza, StanzaKind},
    },
    routing::{server_core::Core, stanza_events::StanzaEvents},
};

/// A host's dispatch table.
#[derive(Debug)]
pub struct Bare {
    core: Arc<Core>,
    table: Arc<HostTable>,
    origin: Origin,
}

impl Bare {
    /// The table of the harness's first host.
    pub fn new(harness: &Harness) -> Self {
        let host = harness.host();
        let table = harness.core().table(&host).into_counted();
        Self { core: Arc::clone(harness.core()), table, origin: Origin::Host(host) }
    }

    #[expect(clippy::expect_used, reason = "the input is part of the benchmark")]
    fn stanza(&self, xml: &str) -> Stanza {
        let element =
            Element::parse(xml.as_bytes(), &NamespaceScope::new(STANZA_NS), &XmlLimits::UNBOUNDED);
        let element = element.expect("the text must be one XML element");
        let jid = |name| {
            element.attribute(name).map(|jid| Jid::new(&jid).expect("the address must be a JID"))
        };
        let addresses = (jid("from"), jid("to"));
        let kind = StanzaKind::of(&element).expect("the element must be a stanza");
        Stanza::new(kind, element, addresses, self.origin.clone())
    }

    /// Parses a message.
    pub fn message(&self, xml: &str) -> Message {
        Message::new(self.stanza(xml))
    }

    /// Parses an iq.
    #[expect(clippy::expect_used, reason = "the input is part of the benchmark")]
    pub fn iq(&self, xml: &str) -> Iq {
        let stanza = self.stanza(xml);
        let kind = stanza.type_().as_deref().and_then(IqType::parse);
        Iq::new(stanza, kind.expect("the iq must have a valid type"))
    }

    /// Looks up and runs the chain of `iq/DEST`. Returns `false` when a handler ended the chain.
    #[inline]
    pub fn fire_iq(&self, iq: &mut Iq) -> bool {
        fire(iq.post(&self.table), iq)
    }

    /// Looks up and runs the chain of `message/DEST`. Returns `false` when a handler ended the
    /// chain.
    #[inline]
    pub fn fire_message(&self, message: &mut Message) -> bool {
        fire(message.post(&self.table), message)
    }

    /// Looks up and runs the chain of `pre-message/DEST`. Returns `false` when a handler ended the
    /// chain.
    #[inline]
    pub fn fire_pre_message(&self, message: &mut Message) -> bool {
        fire(self.table.chain(Message::pre(message.destination())), message)
    }

    /// Looks up the chain of `iq/DEST`. Returns `false` when the table has no such chain.
    #[inline]
    pub fn look_up(&self, iq: &Iq) -> bool {
        iq.post(&self.table).is_some()
    }

    /// Finds the host and the table of a message and runs the chain of `message/DEST`, as routing
    /// does after the pre-routing events. Returns `false` when a handler ended the chain.
    pub fn route_message(&self, message: &mut Message) -> bool {
        ready(self.core.fire_stanza_events(message, false)).1.is_none()
    }

    /// Runs the chain of `pre-message/DEST`, then does the same as [`Bare::route_message`], as for
    /// a message from a client.
    pub fn route_from_client(&self, message: &mut Message) -> bool {
        ready(self.core.fire_stanza_events(message, true)).1.is_none()
    }

    /// Does the same as [`Bare::route_message`] for an iq.
    pub fn route_iq(&self, iq: &mut Iq) -> bool {
        ready(self.core.fire_stanza_events(iq, false)).1.is_none()
    }
}

#[inline]
fn fire<P>(chain: Option<&Chain<P>>, payload: &mut P) -> bool
where
    P: for<'p> Payload<Of<'p> = P>,
{
    let Some(chain) = chain else { return true };
    match chain.run_until_wait(payload) {
        Ran::Ended(stop) => stop.is_none(),
        Ran::Waits(rest) => match chain.run_now_or_later(rest, payload) {
            Resumed::Ended(stop) => stop.is_none(),
            Resumed::Waits(rest, later) => ready(chain.run_rest(rest, later, payload)).is_none(),
        },
    }
}

/// The output of a future that completes at the first poll.
#[inline]
fn ready<F: Future>(future: F) -> F::Output {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("a measured handler must not wait"),
    }
}
