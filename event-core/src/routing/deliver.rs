//! Runs a chain that may not exist.

use std::{future::Future, sync::Arc};

use arc_swap::Guard;

use crate::{
    dispatch::{
        chain::{Begun, Chain, Verdict},
        table::{HostTable, Table},
    },
    events::traits::Payload,
    routing::core::Core,
};

/// Fires a chain that may not be there.
#[expect(clippy::manual_async_fn, reason = "its future is smaller")]
pub(crate) fn fire<P, F>(
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
