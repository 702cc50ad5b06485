//! The table of the events that are fired for the whole server.

use std::sync::Arc;

use event_catalogue::Scope;

use crate::{
    dispatch::{
        chain::Chain,
        table::{
            HostTable,
            hook::{Hook, Life},
            slots::Slots,
        },
    },
    events::traits::{EventId, Payload},
    module::registry::event_count,
};

/// The handlers of global events, of all hosts: by priority, then host.
pub(crate) struct GlobalTable(pub(crate) Slots, Life);

impl GlobalTable {
    pub(crate) fn build(hosts: &[Arc<HostTable>]) -> Self {
        // `Slots::build` sorts stably by rank within one host; the host comes before that.
        let mut slots: Vec<Vec<(usize, &Hook)>> = Vec::new();
        slots.resize_with(event_count(), Vec::new);
        for (host, table) in hosts.iter().enumerate() {
            for hook in table.hooks.iter().filter(|hook| hook.meta().scope == Scope::Global) {
                let id = (hook.meta().event_id)();
                if let Some(slot) = slots.get_mut(usize::from(id.0)) {
                    slot.push((host, hook));
                }
            }
        }
        let chain = |mut hooks: Vec<(usize, &Hook)>| {
            hooks.sort_by(|(host_a, a), (host_b, b)| {
                let priority = b.meta().priority.cmp(&a.meta().priority);
                priority.then(host_a.cmp(host_b)).then_with(|| a.key().cmp(&b.key()))
            });
            let installed: Vec<_> = hooks.iter().map(|(_, hook)| &hook.installed).collect();
            installed.first().map(|first| (first.chain)(&installed))
        };
        Self(Slots(slots.into_iter().map(chain).collect()), Life::default())
    }

    pub(crate) fn life(&self) -> &Life {
        &self.1
    }

    pub(crate) fn chain<P: Payload>(&self, id: EventId) -> Option<&Chain<P>> {
        self.0.get(id)
    }
}
