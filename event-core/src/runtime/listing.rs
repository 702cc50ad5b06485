//! The list of a host's handlers that `spondee hooks` prints.

use std::fmt;

use event_catalogue::{Band, Scope};

use crate::{
    dispatch::{
        hook::HookMeta,
        stats::HandlerStats,
        table::{HostTable, hook::Hook, masks::masks},
    },
    events::{
        fired::is_fired_by_modules,
        traits::{Event, EventId},
        {MessageBare, MessageFull},
    },
    host::host::Host,
    module::{info::ModuleInfo, registry::linked_modules},
    routing::server_core::Core,
};

/// A line of `spondee hooks`.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct HookListing {
    /// The event, priority, function and source location.
    pub hook: &'static HookMeta,
    /// The module of the handler.
    pub module: &'static str,
    /// The counters of the handler.
    pub stats: HandlerStats,
    /// What is wrong with the hook in this configuration.
    pub warning: Option<HookWarning>,
}

/// Why a handler never runs in this configuration, or is passed by.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum HookWarning {
    /// No module that runs here fires the event. These modules of the binary do.
    NotFired(&'static str, Vec<&'static str>),
    /// Another handler runs before and always answers.
    Answered {
        /// Its name.
        by: String,
        /// Its source location.
        place: String,
    },
    /// The handler filters `message/bare`, and its module has no filter on `message/full`.
    FullJid,
}

impl fmt::Display for HookWarning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotFired(event, by) if by.is_empty() => {
                write!(f, "never runs: no module of this binary fires {event}")
            }
            Self::NotFired(event, by) => {
                write!(f, "never runs: nothing fires {event} here; module {} does", by.join(" or "))
            }
            Self::Answered { by, place } => {
                write!(f, "never runs: {by} at {place} runs before it and always answers")
            }
            Self::FullJid => f.write_str(
                "messages to a full JID pass this filter: the module has none on message/full",
            ),
        }
    }
}

impl Core {
    /// The handlers of a host, sorted by event and then in the order they run.
    pub fn hooks(&self, host: &Host) -> Vec<HookListing> {
        let hosts = self.hosts.load();
        let table = hosts.table(host.slot());
        let everywhere: Vec<_> = hosts
            .in_order()
            .iter()
            .flat_map(|host| hosts.table(host.slot()).modules())
            .copied()
            .collect();
        let mut listing = listing(table, table.stats(&hosts.global), &everywhere);
        // The sort is stable, so the hooks of one event keep their order.
        listing.sort_by_key(|line| {
            (line.hook.scope == Scope::Host, line.hook.event_id, line.hook.event)
        });
        listing
    }
}

/// `everywhere` are the modules of all hosts.
fn listing(
    table: &HostTable,
    stats: Vec<HandlerStats>,
    everywhere: &[&'static ModuleInfo],
) -> Vec<HookListing> {
    let hooks = table.hooks();
    let masked = masks(hooks);
    let line = |(hook, stats): (&Hook, HandlerStats)| {
        let enabled = if hook.meta().scope == Scope::Global { everywhere } else { table.modules() };
        let answered = || {
            let by = masked.get(&hook.installed.id())?;
            Some(HookWarning::Answered { by: by.id(), place: by.place() })
        };
        let warning = not_fired(hook.meta().event, enabled)
            .or_else(answered)
            .or_else(|| misses_full_jid(hook, hooks).then_some(HookWarning::FullJid));
        HookListing { hook: hook.meta(), module: hook.module, stats, warning }
    };
    hooks.iter().zip(stats).map(line).collect()
}

/// The warning for an event that only modules fire, if none of `enabled` does.
fn not_fired(event: &'static str, enabled: &[&'static ModuleInfo]) -> Option<HookWarning> {
    let fires = |module: &&'static ModuleInfo| module.declares(event);
    if !is_fired_by_modules(event) || enabled.iter().any(fires) {
        return None;
    }
    let mut by: Vec<_> = linked_modules().filter(fires).map(|module| module.name).collect();
    by.sort_unstable();
    Some(HookWarning::NotFired(event, by))
}

/// Whether `hook` filters `message/bare`, and its module does not filter `message/full`.
fn misses_full_jid(hook: &Hook, hooks: &[Hook]) -> bool {
    let filters = |hook: &Hook, event: EventId| {
        hook.meta().event_id == event && hook.meta().band() == Some(Band::Filter)
    };
    let is_same = |other: &&Hook| other.module == hook.module;
    filters(hook, MessageBare::id())
        && !hooks.iter().filter(is_same).any(|other| filters(other, MessageFull::id()))
}
