//! Routes a stanza: chooses its hosts and events, and answers the sender.

use crate::{
    dispatch::{chain::Stop, hook::HookMeta, outcome::Outcome},
    events::{
        self,
        traits::{Event, Payload},
    },
    protocol::{
        iq::{Iq, IqType},
        origin::Origin,
        stanza::Stanza,
        stanza_error::StanzaError,
    },
    routing::{
        fire::fire_chain,
        outbox::{self, with_outbox},
        server_core::Core,
        stanza_events::{StanzaEvents, TypedStanza},
    },
    session::{
        session::{BATCH_BYTES, Session},
        stream::SessionKind,
    },
};

/// The number of stanzas that handlers may send in one turn. Without this limit, handlers that
/// answer each other's stanzas would never end.
const MAX_STANZAS_IN_TURN: u32 = 100_000;

/// The number of stanzas after which a turn checks the queue of its session.
const PACED: u32 = 8;

impl Core {
    /// Runs `task` with an outbox of its own, then routes the stanzas that `task` sent.
    pub(crate) async fn run_turn<F: Future>(&self, task: F) -> F::Output {
        with_outbox(async {
            let output = task.await;
            self.route_outbox(None).await;
            output
        })
        .await
    }

    /// Routes the stanzas of the current turn's outbox, in order, until the outbox is empty. Waits
    /// while too much is queued for `own`, the session whose turn it is: what a turn makes for its
    /// session may be more than the session's queue holds.
    pub(crate) async fn route_outbox(&self, own: Option<&Session>) {
        for count in 0..MAX_STANZAS_IN_TURN {
            let Some(mut routed) = TypedStanza::take_next() else { return };
            self.route(&mut routed, false).await;
            if count % PACED == PACED - 1
                && let Some(own) = own
                    .filter(|own| own.kind() == SessionKind::Client && own.queued() > BATCH_BYTES)
            {
                own.flushed().await;
            }
        }
        tracing::error!("handlers sent too many stanzas in one turn; the last ones are dropped");
        outbox::clear();
    }

    /// Routes a request of this server whose answer a handler awaits.
    pub(crate) async fn route_query(&self, stanza: Stanza) {
        if let Some(iq_type) = stanza.type_().as_deref().and_then(IqType::parse) {
            self.route_typed(&mut Iq::new(stanza, iq_type).mark_query(), false).await;
        }
    }

    /// Routes a stanza. For a stanza that a client sent, the pre-event fires first.
    pub(crate) async fn route(&self, routed: &mut TypedStanza, from_client: bool) {
        match routed {
            TypedStanza::Message(message) => self.route_typed(message, from_client).await,
            TypedStanza::Presence(presence) => self.route_typed(presence, from_client).await,
            TypedStanza::Iq(iq) => self.route_typed(iq, from_client).await,
        }
    }

    /// Fires the events of a stanza, then answers the sender if the outcome requires it.
    async fn route_typed<K>(&self, payload: &mut K, from_client: bool)
    where
        K: StanzaEvents + for<'p> Payload<Of<'p> = K> + Send + Sync,
    {
        let (is_local, stop) = self.fire_stanza_events(payload, from_client).await;
        if let Some(stop) = stop {
            self.answer_sender(payload, stop);
        } else if !is_local {
            self.refuse(payload.stanza(), &StanzaError::remote_server_not_found());
        } else if payload.is_answered() {
            self.refuse(payload.stanza(), &StanzaError::service_unavailable());
        }
    }

    /// Answers a stanza with an error in the name of the recipient, for a handler of `route/remote`
    /// that could not deliver the stanza. Errors and iq results are not answered.
    pub async fn bounce(&self, stanza: &Stanza, error: &StanzaError) {
        if stanza.may_be_answered() {
            let host = Origin::Host(std::sync::Arc::clone(stanza.origin().host()));
            self.run_turn(async { self.answer(&host, stanza.error_reply(error).0) }).await;
        }
    }

    /// Fires `pre-NAME/DEST` on the sender's host if a client sent the stanza, then `NAME/DEST` on
    /// the recipient's host. Fires `route/remote` on the sender's host instead, and returns
    /// `false`, if the recipient's host is not served here. Also returns the stop, if any.
    pub(crate) async fn fire_stanza_events<K>(
        &self,
        payload: &mut K,
        from_client: bool,
    ) -> (bool, Option<Stop>)
    where
        K: StanzaEvents + for<'p> Payload<Of<'p> = K> + Send + Sync,
    {
        let mut table = self.table(payload.stanza().origin().host());
        if from_client {
            let id = K::pre(payload.stanza().destination());
            let stop = fire_chain(self, &mut table, |table, _| table.chain(id), payload).await;
            if stop.is_some() {
                return (true, stop);
            }
        }
        let sender_host = payload.stanza().origin().host();
        let domain = payload.stanza().to().map(|to| to.domain().as_str());
        if let Some(domain) =
            domain.filter(|domain| *domain != sender_host.name() || sender_host.is_gone())
        {
            let Some(recipient_table) = self.table_of_domain(domain) else {
                let id = events::RouteRemote::id();
                let stanza = payload.stanza_mut();
                let stop = fire_chain(self, &mut table, |table, _| table.chain(id), stanza).await;
                return (false, stop);
            };
            table = recipient_table;
        }
        (
            true,
            fire_chain(self, &mut table, |table, payload: &K| payload.post(table), payload).await,
        )
    }

    /// Answers the sender as the stop of the chain requires.
    pub(crate) fn answer_sender<K: StanzaEvents>(&self, payload: &K, stop: Stop) {
        let stanza = payload.stanza();
        let handler = || stop.by.map(HookMeta::id).unwrap_or_default();
        if payload.lacks_answer(self, &stop) {
            tracing::error!(handler = handler(), "an iq request was handled but not answered");
            self.refuse(stanza, &StanzaError::internal_server_error());
            return;
        }
        match stop.outcome {
            Outcome::Continue | Outcome::Handled | Outcome::Stream(_) => {}
            Outcome::Reply(reply) => {
                if stanza.may_be_answered() {
                    self.answer(stanza.origin(), reply.0);
                }
            }
            Outcome::Error(error) => self.refuse(stanza, &error),
            Outcome::Panicked if payload.is_answered() => {
                self.refuse(stanza, &StanzaError::internal_server_error());
            }
            Outcome::Panicked => {}
        }
    }
}
