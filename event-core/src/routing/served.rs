//! The snapshot: all hosts that are served, each with its dispatch table.
//!
//! A reload replaces the snapshot as a whole, so that no dispatch sees a half-changed server.

use std::{
    ops::Deref,
    sync::{Arc, LazyLock},
};

use arc_swap::Guard;
use hashbrown::HashMap;

use crate::{
    dispatch::table::{HostTable, global::GlobalTable},
    host::host::Host,
};

/// A host and its dispatch table.
#[derive(Clone)]
pub(crate) struct Served {
    pub(crate) host: Arc<Host>,
    pub(crate) table: Arc<HostTable>,
}

/// The snapshot of all hosts.
#[derive(Clone, Default)]
pub(crate) struct Hosts {
    /// The slot of each configured host.
    by_name: HashMap<Box<str>, usize>,
    /// The configured hosts, in the order of the configuration.
    order: Vec<Arc<Host>>,
    /// The hosts by [`Host::slot`]. A removed host stays in this list until its sessions have
    /// ended.
    slots: Vec<Option<Served>>,
    pub(crate) global: Arc<GlobalTable>,
}

/// The table of a host that is not in the snapshot.
static EMPTY: LazyLock<Arc<HostTable>> = LazyLock::new(|| Arc::new(HostTable::empty()));

impl Hosts {
    pub(crate) fn find(&self, domain: &str) -> Option<&Arc<Host>> {
        let slot = *self.by_name.get(domain)?;
        self.slots.get(slot)?.as_ref().map(|served| &served.host)
    }

    pub(crate) fn slot_of(&self, domain: &str) -> Option<usize> {
        self.by_name.get(domain).copied()
    }

    pub(crate) fn in_order(&self) -> &[Arc<Host>] {
        &self.order
    }

    pub(crate) fn table(&self, slot: usize) -> &Arc<HostTable> {
        match self.slots.get(slot) {
            Some(Some(served)) => &served.table,
            _ => &EMPTY,
        }
    }

    /// Makes the next snapshot, with `served` as the configured hosts. A host that is not in
    /// `served` can still be found by its slot, but not by its name.
    pub(crate) fn with(&self, served: &[Served], global: Arc<GlobalTable>) -> Self {
        let mut slots = self.slots.clone();
        for served in served {
            let slot = served.host.slot();
            if slots.len() <= slot {
                slots.resize(slot + 1, None);
            }
            if let Some(entry) = slots.get_mut(slot) {
                *entry = Some(served.clone());
            }
        }
        let order: Vec<_> = served.iter().map(|served| Arc::clone(&served.host)).collect();
        let by_name = order.iter().map(|host| (host.name().into(), host.slot())).collect();
        Self { by_name, order, slots, global }
    }

    /// Makes the same snapshot without a removed host.
    pub(crate) fn without(&self, slot: usize) -> Self {
        let mut hosts = self.clone();
        if let Some(entry) = hosts.slots.get_mut(slot) {
            *entry = None;
        }
        hosts
    }

    /// Makes a snapshot of the same hosts without any handler. Tables hold handlers, handlers hold
    /// contexts and contexts hold hosts, so the memory of a stopped server is freed only when its
    /// tables are dropped.
    pub(crate) fn without_handlers(&self) -> Self {
        let mut hosts = self.clone();
        for served in hosts.slots.iter_mut().flatten() {
            served.table = Arc::clone(&EMPTY);
        }
        hosts.global = Arc::default();
        hosts
    }
}

/// A host's table. A borrow does not write to the table's reference counter, which threads share.
pub(crate) enum Table {
    Borrowed(Guard<Arc<Hosts>>, usize),
    Counted(Arc<HostTable>),
}

impl Table {
    /// Turns a borrowed table into a counted one, for a handler that waits: a thread can borrow
    /// only a few snapshots at a time.
    pub(crate) fn make_counted(&mut self) {
        if let Self::Borrowed(hosts, slot) = self {
            *self = Self::Counted(Arc::clone(hosts.table(*slot)));
        }
    }

    /// The table as a counted reference.
    pub(crate) fn into_counted(self) -> Arc<HostTable> {
        match self {
            Self::Borrowed(hosts, slot) => Arc::clone(hosts.table(slot)),
            Self::Counted(table) => table,
        }
    }
}

impl Deref for Table {
    type Target = HostTable;

    #[inline]
    fn deref(&self) -> &HostTable {
        match self {
            Self::Borrowed(hosts, slot) => hosts.table(*slot),
            Self::Counted(table) => table,
        }
    }
}
