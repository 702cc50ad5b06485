//! The handlers of a host, as `spondee hooks` lists them.

use event_catalogue::Scope;

use crate::{
    dispatch::{hook::HookMeta, stats::HandlerStats, table::global::GlobalTable},
    host::host::Host,
};

/// A line of `spondee hooks`.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct HookListing {
    /// The event, priority, function and place.
    pub hook: &'static HookMeta,
    /// The module it belongs to.
    pub module: &'static str,
    /// What it did so far.
    pub stats: HandlerStats,
}

impl Host {
    /// The handlers of this host, by event and then in the order they run.
    pub fn hooks(&self) -> Vec<HookListing> {
        let table = self.table().clone();
        let stats = match self.try_core() {
            Some(core) => table.stats(&core.global.load()),
            None => table.stats(&GlobalTable::build(&[])),
        };
        let mut listing: Vec<_> = table
            .hooks()
            .zip(stats)
            .map(|(hook, stats)| HookListing { hook: hook.meta(), module: hook.module, stats })
            .collect();
        // Stable: within one event the hooks stay in their order.
        listing.sort_by_key(|line| {
            (line.hook.scope == Scope::Host, (line.hook.event_id)(), line.hook.event)
        });
        listing
    }
}
