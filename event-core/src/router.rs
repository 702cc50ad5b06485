//! The router: from a stanza that a stream delivered to the events it fires.
//!
//! The steps follow Prosody's `stanza_router`, with the differences that ARCHITECTURE.md lists.
//! What handlers send while a chain runs waits in the turn's outbox and is routed, in order, when
//! the outermost chain has ended.

mod address;
mod kind;
mod outbox;

use std::{cell::RefCell, future::Future, sync::Arc};

use arc_swap::Guard;
use jid::Jid;
use tokio::sync::mpsc;

use crate::{
    Core, Host, Nonza, Origin, Session, SessionKind, StanzaError, StanzaKind, StreamError,
    dispatch::{Begun, Chain, Verdict},
    event::{Event, Payload},
    events,
    flow::Outcome,
    stanza::{Iq, IqType, Message, Presence, Stanza},
    table::{HostTable, Table},
    xml::{Element, STANZA_NS},
};
use address::{Addressed, check, foreign, own};
pub(crate) use kind::Kind;
use kind::Routed;
use outbox::{Copies, Outbox};

/// Stanzas that one turn may cause; more is a loop of handlers that answer each other.
const MAX_TURN: usize = 100_000;

/// Stanzas sent outside any turn that may wait to be routed.
pub(crate) const MAX_BACKGROUND: usize = 65_536;

/// Something to do when the outermost chain has ended.
#[derive(Debug)]
pub(crate) enum Outgoing {
    Route(Stanza),
    Deliver(Session, Element),
}

tokio::task_local! {
    static OUTBOX: RefCell<Outbox>;
}

/// How deep handlers may fire events and send queries within one another; deeper is a loop that
/// would end in the stack.
const MAX_DEPTH: u32 = 32;

tokio::task_local! {
    static DEPTH: u32;
}

/// Runs what a handler waits for one level deeper; `None` when that is too deep.
pub(crate) async fn deeper<F: Future>(task: F) -> Option<F::Output> {
    let depth = DEPTH.try_with(|depth| *depth).unwrap_or(0);
    if depth >= MAX_DEPTH {
        return None;
    }
    Some(DEPTH.scope(depth + 1, task).await)
}

/// Runs a task whose dispatches share an outbox: a stream's, or the background's.
pub fn turns<F: Future>(task: F) -> impl Future<Output = F::Output> {
    OUTBOX.scope(RefCell::default(), task)
}

/// Puts `outgoing` into the outbox of the turn that runs, or else on the background's queue.
fn post(core: &Core, outgoing: Outgoing) {
    let mut outgoing = Some(outgoing);
    let in_turn = OUTBOX.try_with(|outbox| {
        outgoing.take().into_iter().for_each(|outgoing| outbox.borrow_mut().push(outgoing));
    });
    if in_turn.is_err()
        && let Some(outgoing) = outgoing
        && core.background().try_send(outgoing).is_err()
    {
        tracing::error!("too many stanzas wait to be sent; one was dropped");
    }
}

/// Routes what the background sends, until the server ends.
pub(crate) async fn background(core: std::sync::Weak<Core>, mut queue: mpsc::Receiver<Outgoing>) {
    turns(async {
        while let Some(outgoing) = queue.recv().await {
            let Some(core) = core.upgrade() else { break };
            if let Some(mut routed) = Routed::of(outgoing) {
                core.route(&mut routed, false).await;
            }
            core.drain().await;
        }
    })
    .await;
}

/// Sets `from` to the host unless it is a JID of the host already.
pub(crate) fn stamp(host: &Host, stanza: &mut Element) -> Jid {
    if let Some(from) = stanza.attribute("from").and_then(|from| Jid::new(&from).ok()) {
        if from.domain().as_str() == host.name() {
            return from;
        }
        tracing::error!(%from, host = host.name(), "a module sends for another domain");
    }
    stanza.set_attribute("from", Some(host.jid().as_str()));
    host.jid().clone()
}

/// A stanza from a host itself.
pub(crate) fn send(host: &Arc<Host>, mut element: Element) {
    let from = stamp(host, &mut element);
    let to = element.attribute("to").map(|to| Jid::new(&to));
    let Some(Ok(to)) = to else {
        tracing::error!(host = host.name(), stanza = element.name(), "a stanza needs a valid `to`");
        return;
    };
    let origin = Origin::Host(Arc::clone(host));
    let Some(stanza) = Stanza::new(element, (Some(from), Some(to)), origin) else {
        tracing::error!(host = host.name(), "what is sent must be a stanza");
        return;
    };
    let Some(core) = host.try_core() else { return };
    // The handler that waits for an answer would keep the outbox waiting.
    if let Some(stanza) = core.queries().answer(stanza) {
        post(&core, Outgoing::Route(stanza));
    }
}

/// Copies of a stanza from a host itself.
pub(crate) fn send_to(host: &Arc<Host>, mut element: Element, to: Vec<Jid>) {
    let from = stamp(host, &mut element);
    let stanza = Stanza::new(element, (Some(from), None), Origin::Host(Arc::clone(host)));
    let Some(stanza) = stanza.filter(|stanza| stanza.kind() != StanzaKind::Iq) else {
        tracing::error!(host = host.name(), "what is sent to many is a message or a presence");
        return;
    };
    let mut copies = Some(Copies::new(stanza, to));
    let in_turn = OUTBOX.try_with(|outbox| {
        copies.take().into_iter().for_each(|copies| outbox.borrow_mut().push_copies(copies));
    });
    if in_turn.is_err()
        && let Some(core) = host.try_core()
    {
        // Each takes its place on a queue that is bounded.
        copies.into_iter().flatten().for_each(|copy| post(&core, Outgoing::Route(copy)));
    }
}

/// Sends an answer back to where the stanza came from.
pub(crate) fn answer(origin: &Origin, reply: Element) {
    match origin {
        Origin::Session(session) if session.kind() == SessionKind::Client => {
            // What the chain sent before its answer goes first; but what `resource-bind` had sent
            // is for a client that knows its address, and the answer that says it has no `to`.
            let is_waiting = reply.attribute("to").is_some()
                && OUTBOX.try_with(|outbox| !outbox.borrow().is_empty()) == Ok(true);
            if !is_waiting {
                session.send(&reply);
            } else if let Some(core) = origin.host().try_core() {
                post(&core, Outgoing::Deliver(session.clone(), reply));
            }
        }
        Origin::Session(_) | Origin::Host(_) => {
            let Some(core) = origin.host().try_core() else { return };
            let mut reply = reply;
            let jid =
                |reply: &Element, name| reply.attribute(name).and_then(|jid| Jid::new(&jid).ok());
            let from = jid(&reply, "from").unwrap_or_else(|| stamp(origin.host(), &mut reply));
            let to = jid(&reply, "to");
            // A stream between servers may be to several hosts; it is the one asked that answers.
            let local = core.host(from.domain().as_str());
            let host = local.unwrap_or_else(|| Arc::clone(origin.host()));
            let answering = (Some(from), to);
            let Some(stanza) = Stanza::new(reply, answering, Origin::Host(host)) else { return };
            let stanza = match origin {
                // The host asked: only a query can wait for it.
                Origin::Host(host)
                    if stanza.to().is_some_and(|to| to.domain().as_str() == host.name()) =>
                {
                    core.queries().answer(stanza)
                }
                _ => Some(stanza),
            };
            if let Some(stanza) = stanza {
                post(&core, Outgoing::Route(stanza));
            }
        }
    }
}

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
    async fn route(&self, routed: &mut Routed, from_client: bool) {
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
        let who = || verdict.by.map(crate::HookMeta::id).unwrap_or_default();
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

/// Fires a chain that may not be there.
#[expect(clippy::manual_async_fn, reason = "its future is smaller")]
fn fire<P, F>(
    core: &Core,
    table: &mut Table,
    chain: F,
    payload: &mut P,
) -> impl Future<Output = Option<Verdict>>
where
    P: for<'p> Payload<Of<'p> = P>,
    F: for<'t> Fn(&'t HostTable, &P) -> Option<&'t Chain<P>>,
{
    async move {
        let found = chain(table, payload)?;
        let verdict = match found.begin(payload) {
            Begun::Ended(verdict) => verdict?,
            Begun::Waits(rest) => {
                let chain = found.clone();
                // It may take long, and a thread can borrow few tables at a time.
                *table = Guard::from_inner(Arc::clone(table));
                chain.go_on(rest, payload).await?
            }
        };
        core.decided(&verdict);
        Some(verdict)
    }
}

fn refuse(stanza: &Stanza, error: &StanzaError) {
    if stanza.may_be_answered() {
        answer(stanza.origin(), stanza.error_reply(error).0);
    }
}
