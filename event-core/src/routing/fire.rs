//! Fires an event on a host or for the whole server.

use event_catalogue::Scope;

use crate::{
    dispatch::{
        chain::{Chain, Ran, Resumed, Stop},
        flow::Flow,
        outcome::Outcome,
        table::HostTable,
    },
    events::traits::{Event, Fire, Fired, Payload},
    host::host::Host,
    protocol::stanza_error::StanzaError,
    routing::{outbox::run_nested, served::Table, server_core::Core},
};

impl Core {
    /// Fires an event that is its own payload on `host`, or on all hosts if the scope is global.
    pub(crate) async fn fire<'p, E: Fire<'p>>(&self, host: &Host, mut event: E) -> Fired<E> {
        let stop = self.fire_event::<E>(host, event.payload()).await;
        let flow = if stop.is_none() { Flow::Continue } else { Flow::Handled };
        let error = match stop.map(|stop| stop.outcome) {
            Some(Outcome::Error(error)) => Some(*error),
            Some(Outcome::Panicked) => Some(StanzaError::internal_server_error()),
            _ => None,
        };
        Fired { event, flow, error }
    }

    /// Fires an event whose payload is a stanza on `host`.
    ///
    /// # Errors
    /// A handler refused the stanza.
    pub(crate) async fn fire_stanza<E: Event>(
        &self,
        host: &Host,
        payload: &mut <E::Payload as Payload>::Of<'_>,
    ) -> Result<Flow, StanzaError> {
        let Some(stop) = self.fire_event::<E>(host, payload).await else {
            return Ok(Flow::Continue);
        };
        match stop.outcome {
            Outcome::Continue => Ok(Flow::Continue),
            Outcome::Error(error) => Err(*error),
            Outcome::Panicked => Err(StanzaError::internal_server_error()),
            Outcome::Handled | Outcome::Reply(_) | Outcome::Stream(_) => Ok(Flow::Handled),
        }
    }

    /// Fires an event on `host`, or on all hosts if the event's scope is global. Returns `None`
    /// when no handler stopped the chain.
    pub(crate) async fn fire_event<E: Event>(
        &self,
        host: &Host,
        payload: &mut <E::Payload as Payload>::Of<'_>,
    ) -> Option<Stop> {
        if E::INFO.scope == Scope::Global {
            return self.fire_global::<E>(payload).await;
        }
        let table = self.table(host).into_counted();
        self.fire_nested(table.chain::<E::Payload>(E::id()), payload).await
    }

    /// Fires an event on the table that all hosts share.
    pub(crate) async fn fire_global<E: Event>(
        &self,
        payload: &mut <E::Payload as Payload>::Of<'_>,
    ) -> Option<Stop> {
        let global = std::sync::Arc::clone(&self.hosts.load().global);
        self.fire_nested(global.chain::<E::Payload>(E::id()), payload).await
    }

    /// Runs a chain, unless too many events that handlers fired are nested in each other.
    async fn fire_nested<P: Payload>(
        &self,
        chain: Option<&Chain<P>>,
        payload: &mut P::Of<'_>,
    ) -> Option<Stop> {
        let chain = chain?;
        let Some(stop) = run_nested(chain.fire(payload)).await else {
            tracing::error!(
                handlers = chain.handlers(),
                "too many nested events were fired by handlers; this event is refused"
            );
            return Some(Stop { outcome: StanzaError::internal_server_error().into(), by: None });
        };
        if let Some(stop) = &stop {
            self.report_stop(stop);
        }
        stop
    }
}

/// Runs the chain that `find` finds in the table, if any. Returns `None` when no handler stopped
/// the chain.
#[expect(clippy::manual_async_fn, reason = "the future of an async fn is larger")]
pub(crate) fn fire_chain<P, F>(
    core: &Core,
    table: &mut Table,
    find: F,
    payload: &mut P,
) -> impl Future<Output = Option<Stop>>
where
    P: for<'p> Payload<Of<'p> = P>,
    F: for<'t> Fn(&'t HostTable, &P) -> Option<&'t Chain<P>>,
{
    async move {
        let found = find(table, payload)?;
        let rest = match found.run_until_wait(payload) {
            Ran::Ended(stop) => return reported(core, stop),
            Ran::Waits(rest) => rest,
        };
        match found.run_now_or_later(rest, payload) {
            Resumed::Ended(stop) => reported(core, stop),
            Resumed::Waits(rest, later) => {
                // A dispatch that waits keeps its chain and table by counted references.
                let chain = found.clone();
                table.make_counted();
                reported(core, chain.run_rest(rest, later, payload).await)
            }
        }
    }
}

#[inline]
fn reported(core: &Core, stop: Option<Stop>) -> Option<Stop> {
    let stop = stop?;
    core.report_stop(&stop);
    Some(stop)
}
