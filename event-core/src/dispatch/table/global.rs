//! The table of the events that are fired for the whole server.

use event_catalogue::Scope;

use crate::{
    dispatch::{
        chain::Chain,
        table::{
            hook::{Hook, Life},
            slots::Slots,
        },
    },
    events::{
        declared::event_count,
        traits::{EventId, Payload},
    },
};

/// The handlers of the global events of all hosts, ordered by priority, then by host.
pub(crate) struct GlobalTable(pub(crate) Slots, Life);

impl Default for GlobalTable {
    fn default() -> Self {
        Self::build(&[])
    }
}

impl GlobalTable {
    /// `hosts` are the handlers of each host, in the order of the configuration.
    pub(crate) fn build(hosts: &[&[Hook]]) -> Self {
        // Sorted as in `Slots::build`, but the host counts before the rank of the module.
        let mut slots: Vec<Vec<(usize, &Hook)>> = Vec::new();
        slots.resize_with(event_count(), Vec::new);
        for (host, hooks) in hosts.iter().enumerate() {
            for hook in hooks.iter().filter(|hook| hook.meta().scope == Scope::Global) {
                let id = hook.meta().event_id;
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
