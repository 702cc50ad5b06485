//! Receives the elements of a stream and chooses the event of each.
//!
//! The steps follow Prosody's `stanza_router`, with the differences that ARCHITECTURE.md lists.

use std::sync::Arc;

use jid::Jid;
use xmpp_xml::{Element, STANZA_NS};

use crate::{
    dispatch::{chain::Chain, outcome::Outcome, table::HostTable},
    events::{self, traits::Event},
    host::host::Host,
    protocol::{
        iq::{Iq, IqType},
        nonza::Nonza,
        origin::Origin,
        stanza::{Message, Presence, Stanza, StanzaKind},
        stream_error::StreamError,
    },
    routing::{
        admit::{Admission, admit_from_client, admit_from_remote, check_iq},
        fire::fire_chain,
        server_core::Core,
        stanza_events::TypedStanza,
    },
    session::{session::Session, stream::SessionKind},
};

impl Core {
    /// Fires the events of an element that a stream has read, then routes the outbox. An answer
    /// that a handler of this server awaits goes straight to that handler.
    ///
    /// # Errors
    /// The caller closes the stream with the error.
    // Each stream that handles an element keeps this future in memory. To keep the future small,
    // the arguments are stored once, and the futures of rare elements are boxed.
    #[inline]
    #[expect(clippy::manual_async_fn, reason = "the future of an async fn is larger")]
    pub(crate) fn receive(
        &self,
        session: &Session,
        element: Element,
    ) -> impl Future<Output = Result<(), StreamError>> + Send {
        async move {
            let received = match StanzaKind::of(&element) {
                None => Box::pin(self.receive_nonza(session, element)).await,
                Some(kind) if self.take_answer(session, kind, &element) => Ok(()),
                Some(kind) if !session.is_established() => {
                    Box::pin(self.receive_unbound(session, kind, element)).await
                }
                Some(kind) => match self.admit(session, kind, element) {
                    Ok(Some(ref mut routed)) => {
                        self.route(routed, session.kind() == SessionKind::Client).await;
                        Ok(())
                    }
                    Ok(None) => Ok(()),
                    Err(error) => Err(error),
                },
            };
            self.route_outbox(Some(session)).await;
            received
        }
    }

    /// Fires `stanza/XMLNS:TAG` for an element that is not a stanza.
    async fn receive_nonza(&self, session: &Session, element: Element) -> Result<(), StreamError> {
        let mut table = self.table(&self.host_of(session, &element));
        let mut nonza = Nonza::new(session.clone(), element);
        let stop = fire_chain(
            self,
            &mut table,
            |table, nonza: &Nonza| {
                let namespace = match nonza.element.namespace() {
                    // The reader maps all content namespaces to `STANZA_NS`; the names of events
                    // have the namespace of the stream.
                    STANZA_NS => session.kind().namespace(),
                    namespace => namespace,
                };
                table.nonza(namespace, nonza.element.name())
            },
            &mut nonza,
        )
        .await;
        match stop.map(|stop| stop.outcome) {
            Some(Outcome::Handled | Outcome::Reply(_)) => Ok(()),
            Some(Outcome::Stream(error)) => Err(*error),
            Some(Outcome::Error(_) | Outcome::Panicked) => {
                Err(StreamError::internal_server_error())
            }
            None | Some(Outcome::Continue) => {
                let (name, namespace) = (nonza.element.name(), nonza.element.namespace());
                let text = format!("the element {{{namespace}}}{name} is not expected here");
                Err(StreamError::unsupported_stanza_type().text(text))
            }
        }
    }

    /// The host whose table is used for an element that is not routed. On a stream between servers,
    /// which can be for several hosts, this is the host in `to`, if other servers may reach it.
    fn host_of(&self, session: &Session, element: &Element) -> Arc<Host> {
        let named = || {
            let to = element.attribute("to").and_then(|to| Jid::new(&to).ok())?;
            self.federated_host(to.domain().as_str())
        };
        let named = if session.kind().is_server() { named() } else { None };
        named.unwrap_or_else(|| Arc::clone(session.host()))
    }

    /// Fires `stanza/iq/XMLNS:TAG`, `stanza/message` or `stanza/presence` for a stanza of a client
    /// without a resource, or of a server or component that has proved no domain.
    async fn receive_unbound(
        &self,
        session: &Session,
        kind: StanzaKind,
        element: Element,
    ) -> Result<(), StreamError> {
        let refused = || {
            let text = match session.user() {
                None => "authenticate first",
                Some(_) => "bind a resource first",
            };
            Err(StreamError::not_authorized().text(text))
        };
        let host = self.host_of(session, &element);
        let to = match element.attribute("to").map(|to| Jid::new(&to)) {
            None => None,
            Some(Ok(to)) if to.domain().as_str() == host.name() => Some(to),
            Some(_) => return refused(),
        };
        let origin = Origin::Session(session.clone());
        let stanza = Stanza::new(kind, element, (None, to), origin);
        let mut table = self.table(&host);
        if kind != StanzaKind::Iq {
            let stop = if kind == StanzaKind::Message {
                let id = events::StanzaMessage::id();
                fire_chain(self, &mut table, |table, _| table.chain(id), &mut Message::new(stanza))
                    .await
            } else {
                let id = events::StanzaPresence::id();
                fire_chain(self, &mut table, |table, _| table.chain(id), &mut Presence::new(stanza))
                    .await
            };
            return match stop.map(|stop| stop.outcome) {
                Some(Outcome::Handled | Outcome::Reply(_)) => Ok(()),
                Some(Outcome::Panicked) => Err(StreamError::internal_server_error()),
                _ => refused(),
            };
        }
        let iq_type = stanza.type_().as_deref().and_then(IqType::parse);
        let Some(iq_type) = iq_type.filter(|iq_type| iq_type.is_request()) else {
            return refused();
        };
        let mut iq = Iq::new(stanza, iq_type);
        if stanza_iq(&table, &iq).is_none() {
            return refused();
        }
        if let Err(error) = check_iq(kind, iq.element()) {
            self.answer(iq.origin(), iq.error_reply(&error).0);
            return Ok(());
        }
        let Some(stop) = fire_chain(self, &mut table, stanza_iq, &mut iq).await else {
            return refused();
        };
        self.answer_sender(&iq, stop);
        Ok(())
    }

    /// Checks a stanza of an established stream. Returns the stanza to route, or `None` when the
    /// stanza was refused or ignored.
    fn admit(
        &self,
        session: &Session,
        kind: StanzaKind,
        element: Element,
    ) -> Result<Option<TypedStanza>, StreamError> {
        let admission = if session.kind() == SessionKind::Client {
            admit_from_client(session, kind, element)
        } else {
            admit_from_remote(self, session, kind, element)?
        };
        Ok(match admission {
            Admission::Admitted(stanza) => TypedStanza::new(stanza),
            Admission::Refused(stanza, error) => {
                self.refuse(&stanza, &error);
                None
            }
            Admission::Ignored => None,
        })
    }
}

/// The chain of `stanza/iq/XMLNS:TAG`.
fn stanza_iq<'t>(table: &'t HostTable, iq: &Iq) -> Option<&'t Chain<Iq>> {
    let (namespace, name) = iq.payload_name()?;
    table.stanza_iq(namespace, name)
}
