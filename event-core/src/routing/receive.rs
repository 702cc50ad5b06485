//! The router: from a stanza that a stream delivered to the events it fires.
//!
//! The steps follow Prosody's `stanza_router`, with the differences that ARCHITECTURE.md lists.
//! What handlers send while a chain runs waits in the turn's outbox and is routed, in order, when
//! the outermost chain has ended.

use std::{future::Future, sync::Arc};

use jid::Jid;
use xmpp_xml::{Element, STANZA_NS};

use crate::{
    dispatch::{
        chain::{Chain, Verdict},
        outcome::Outcome,
        table::HostTable,
    },
    events::{
        self,
        traits::{Event, Payload},
    },
    host::host::Host,
    protocol::{
        iq::{Iq, IqType},
        nonza::Nonza,
        origin::Origin,
        stanza::{Message, Presence, Stanza, StanzaKind},
        stanza_error::StanzaError,
        stream_error::StreamError,
    },
    routing::{
        admit::{Addressed, check, foreign, own},
        core::Core,
        deliver::fire,
        outbox::{MAX_TURN, OUTBOX, turns},
        reply::{answer, refuse},
        stanza_events::{Kind, Routed},
    },
    session::{session::Session, stream::SessionKind},
};

impl Core {
    /// Takes an element that a stream delivered, fires its events, and routes what they cause.
    /// Call it within [`turns`].
    ///
    /// # Errors
    /// The stream has to be closed with the error.
    // Every stream at work has room for this future, so it holds what it is given once, and what
    // streams rarely see is boxed.
    #[expect(clippy::manual_async_fn, reason = "its future is smaller")]
    pub fn receive(
        &self,
        session: &Session,
        element: Element,
    ) -> impl Future<Output = Result<(), StreamError>> + Send {
        async move {
            let received = match StanzaKind::of(&element) {
                None => Box::pin(self.nonza(session, element)).await,
                Some(kind) if !session.is_established() => {
                    Box::pin(self.unbound(session, kind, element)).await
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
            self.drain().await;
            received
        }
    }

    /// Tells the sender of a stanza that a handler of `route/remote` took over that it could not
    /// be delivered after all. The error comes as if from the recipient, by the way of any stanza
    /// that is sent here; errors and iq results are not answered.
    pub async fn bounce(&self, stanza: &Stanza, error: &StanzaError) {
        if stanza.may_be_answered() {
            let host = Origin::Host(Arc::clone(stanza.origin().host()));
            turns(async {
                answer(&host, stanza.error_reply(error).0);
                self.drain().await;
            })
            .await;
        }
    }

    /// Routes what waits in the outbox of this turn.
    pub async fn drain(&self) {
        for _ in 0..MAX_TURN {
            let Some(mut routed) = Routed::next() else { return };
            self.route(&mut routed, false).await;
        }
        tracing::error!("handlers answer each other without end; their stanzas were dropped");
        let _ = OUTBOX.try_with(|outbox| outbox.borrow_mut().clear());
    }

    /// `stanza/XMLNS:TAG`: an element that is not a stanza, on any stream.
    async fn nonza(&self, session: &Session, element: Element) -> Result<(), StreamError> {
        let mut table = self.addressed(session, &element).table();
        let mut nonza = Nonza::new(session.clone(), element);
        let verdict = fire(
            self,
            &mut table,
            |table, nonza: &Nonza| {
                let namespace = match nonza.element.namespace() {
                    // Within the server stanzas have one namespace; in names each has its stream's.
                    STANZA_NS => session.kind().namespace(),
                    namespace => namespace,
                };
                table.nonza(namespace, nonza.element.name())
            },
            &mut nonza,
        )
        .await;
        match verdict.map(|verdict| verdict.outcome) {
            Some(Outcome::Handled | Outcome::Reply(_)) => Ok(()),
            Some(Outcome::Stream(error)) => Err(*error),
            Some(Outcome::Error(_) | Outcome::Panicked) => {
                Err(StreamError::internal_server_error())
            }
            None | Some(Outcome::Continue) => {
                let (name, namespace) = (nonza.element.name(), nonza.element.namespace());
                let text = format!("nothing here understands {{{namespace}}}{name} now");
                Err(StreamError::unsupported_stanza_type().text(text))
            }
        }
    }

    /// The host that an element is for which is not routed: on a stream between servers the one
    /// it names, as the stream may be to several.
    fn addressed(&self, session: &Session, element: &Element) -> Arc<Host> {
        let named = || {
            let to = element.attribute("to").and_then(|to| Jid::new(&to).ok())?;
            self.host(to.domain().as_str())
        };
        let named = if session.kind().is_server() { named() } else { None };
        named.unwrap_or_else(|| Arc::clone(session.host()))
    }

    /// `stanza/iq/XMLNS:TAG`, `stanza/message`, `stanza/presence`: on a stream without a resource,
    /// or whose other side has proved no domain.
    async fn unbound(
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
        let host = self.addressed(session, &element);
        let to = match element.attribute("to").map(|to| Jid::new(&to)) {
            None => None,
            Some(Ok(to)) if to.domain().as_str() == host.name() => Some(to),
            Some(_) => return refused(),
        };
        let origin = Origin::Session(session.clone());
        let Some(stanza) = Stanza::new(element, (None, to), origin) else { return refused() };
        let mut table = host.table();
        if kind != StanzaKind::Iq {
            let verdict = if kind == StanzaKind::Message {
                let id = events::StanzaMessage::id();
                fire(self, &mut table, |table, _| table.chain(id), &mut Message::new(stanza)).await
            } else {
                let id = events::StanzaPresence::id();
                fire(self, &mut table, |table, _| table.chain(id), &mut Presence::new(stanza)).await
            };
            return match verdict.map(|verdict| verdict.outcome) {
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
        if let Err(error) = check(kind, iq.element()) {
            answer(iq.origin(), iq.error_reply(&error).0);
            return Ok(());
        }
        let Some(verdict) = fire(self, &mut table, stanza_iq, &mut iq).await else {
            return refused();
        };
        self.conclude(&iq, verdict);
        Ok(())
    }

    /// A stanza on a stream that routes: checked and stamped, or refused.
    fn admit(
        &self,
        session: &Session,
        kind: StanzaKind,
        element: Element,
    ) -> Result<Option<Routed>, StreamError> {
        let addressed = if session.kind() == SessionKind::Client {
            own(session, kind, element)
        } else {
            foreign(self, session, kind, element)?
        };
        Ok(match addressed {
            Addressed::Stanza(stanza) => Routed::new(stanza),
            Addressed::Refused(stanza, error) => {
                refuse(&stanza, &error);
                None
            }
            Addressed::Nothing => None,
        })
    }

    /// Routes a request whose answer is waited for.
    pub(crate) async fn route_query(&self, stanza: Stanza) {
        if let Some(iq_type) = stanza.type_().as_deref().and_then(IqType::parse) {
            self.pass(&mut Iq::new(stanza, iq_type).query(), false).await;
        }
    }

    /// Routes a stanza; what a client sends meets its pre-events first.
    pub(crate) async fn route(&self, routed: &mut Routed, from_client: bool) {
        match routed {
            Routed::Message(message) => self.pass(message, from_client).await,
            Routed::Presence(presence) => self.pass(presence, from_client).await,
            Routed::Iq(iq) => self.pass(iq, from_client).await,
        }
    }

    /// Fires the events of a stanza, and tells its sender what came of it.
    async fn pass<K>(&self, payload: &mut K, from_client: bool)
    where
        K: Kind + for<'p> Payload<Of<'p> = K> + Send + Sync,
    {
        let (is_local, verdict) = self.fire_events(payload, from_client).await;
        if let Some(verdict) = verdict {
            self.conclude(payload, verdict);
        } else if !is_local {
            refuse(payload.stanza(), &StanzaError::remote_server_not_found());
        } else if payload.is_answered() {
            refuse(payload.stanza(), &StanzaError::service_unavailable());
        }
    }

    /// What a client sends meets `pre-NAME/DEST` on the sender's host, then any stanza `NAME/DEST`
    /// on the recipient's, or `route/remote` on the sender's. Says too whether the recipient's
    /// host is served here.
    pub(crate) async fn fire_events<K>(
        &self,
        payload: &mut K,
        from_client: bool,
    ) -> (bool, Option<Verdict>)
    where
        K: Kind + for<'p> Payload<Of<'p> = K> + Send + Sync,
    {
        let mut table = payload.stanza().origin().host().table();
        if from_client {
            let id = K::pre(payload.stanza().destination());
            let verdict = fire(self, &mut table, |table, _| table.chain(id), payload).await;
            if verdict.is_some() {
                return (true, verdict);
            }
        }
        let own = payload.stanza().origin().host();
        let domain = payload.stanza().to().map(|to| to.domain().as_str());
        if let Some(domain) = domain.filter(|domain| *domain != own.name() || own.is_gone()) {
            let Some(other) = self.table(domain) else {
                let id = events::RouteRemote::id();
                let stanza = payload.stanza_mut();
                return (false, fire(self, &mut table, |table, _| table.chain(id), stanza).await);
            };
            table = other;
        }
        (true, fire(self, &mut table, |table, payload: &K| payload.post(table), payload).await)
    }

    /// What a chain that stopped means for the sender.
    fn conclude<K: Kind>(&self, payload: &K, verdict: Verdict) {
        let stanza = payload.stanza();
        let who = || verdict.by.map(crate::dispatch::hook::HookMeta::id).unwrap_or_default();
        if payload.is_forgotten(&verdict) {
            tracing::error!(handler = who(), "an iq request was handled but not answered");
            refuse(stanza, &StanzaError::internal_server_error());
            return;
        }
        match verdict.outcome {
            Outcome::Continue | Outcome::Handled | Outcome::Stream(_) => {}
            Outcome::Reply(reply) => {
                if stanza.may_be_answered() {
                    answer(stanza.origin(), reply.0);
                }
            }
            Outcome::Error(error) => refuse(stanza, &error),
            Outcome::Panicked if payload.is_answered() => {
                refuse(stanza, &StanzaError::internal_server_error());
            }
            Outcome::Panicked => {}
        }
    }
}

/// `stanza/iq/XMLNS:TAG`
fn stanza_iq<'t>(table: &'t HostTable, iq: &Iq) -> Option<&'t Chain<Iq>> {
    let (namespace, name) = iq.payload_name()?;
    table.stanza_iq(namespace, name)
}
