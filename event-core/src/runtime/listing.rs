//! The list of a host's handlers that `spondee hooks` prints.

use event_catalogue::Scope;

use crate::{
    dispatch::{hook::HookMeta, stats::HandlerStats},
    host::host::Host,
    routing::core::Core,
};

/// A line of `spondee hooks`.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct HookListing {
    /// The event, priority, function and source location.
    pub hook: &'static HookMeta,
    /// The module of the handler.
    pub module: &'static str,
    /// The counters of the handler.
    pub stats: HandlerStats,
}

impl Core {
    /// The handlers of a host, sorted by event and then in the order they run.
    pub fn hooks(&self, host: &Host) -> Vec<HookListing> {
        let hosts = self.hosts.load();
        let table = hosts.table(host.slot());
        let stats = table.stats(&hosts.global);
        let mut listing: Vec<_> = table
            .hooks()
            .iter()
            .zip(stats)
            .map(|(hook, stats)| HookListing { hook: hook.meta(), module: hook.module, stats })
            .collect();
        // The sort is stable, so the hooks of one event keep their order.
        listing.sort_by_key(|line| {
            (line.hook.scope == Scope::Host, line.hook.event_id, line.hook.event)
        });
        listing
    }
}
