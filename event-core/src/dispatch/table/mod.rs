//! A host's dispatch table: the handlers of each event, in the order in which they run.
//!
//! A table is built once, from the modules that run on the host, and never changes. A reload builds
//! another table. A look-up takes one index, or for the payload of an iq one hash of two strings.

pub(crate) mod global;
pub(crate) mod hook;
pub(crate) mod iq;
pub(crate) mod masks;
pub(crate) mod order;
pub(crate) mod slots;

use std::collections::HashMap;

use event_catalogue::Scope;

use crate::{
    dispatch::{
        chain::Chain,
        hook::HookParameter,
        installer::{AnyChain, HandlerId},
        stats::{HandlerStats, Passes},
        table::{
            global::GlobalTable,
            hook::{Hook, Life, chain},
            iq::IqTable,
            order::{Enabled, ranks},
            slots::{PayloadMap, Slots},
        },
    },
    events::{
        self,
        traits::{Event, EventId, Payload},
    },
    module::start_error::StartError,
    protocol::{
        iq::{Iq, IqType},
        nonza::Nonza,
        stanza::{Destination, Message, Presence},
    },
};

/// The handlers of one host.
pub(crate) struct HostTable {
    slots: Slots,
    message_self: Chain<Message>,
    presence_self: Chain<Presence>,
    iq: IqTable,
    stanza_iq: PayloadMap<Chain<Iq>>,
    nonzas: PayloadMap<Chain<Nonza>>,
    hooks: Vec<Hook>,
    /// The figures of each hook from the tables before this one.
    earlier: Vec<HandlerStats>,
    modules: Vec<&'static crate::module::info::ModuleInfo>,
    life: Life,
}

impl std::fmt::Debug for HostTable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.hooks.iter().map(|hook| hook.installed.meta)).finish()
    }
}

impl HostTable {
    /// The table of a host without modules.
    pub(crate) fn empty() -> Self {
        Self::of(Vec::new(), Vec::new())
    }

    /// Builds the table of a host with the modules `enabled`, in the order of the configuration.
    pub(crate) fn build(
        linked: &[&'static str],
        enabled: &[Enabled<'_>],
    ) -> Result<Self, StartError> {
        let infos: Vec<_> = enabled.iter().map(|enabled| enabled.info).collect();
        let ranks = ranks(linked, &infos)?;
        let mut hooks = Vec::new();
        for (module, rank) in enabled.iter().zip(ranks) {
            let name = module.info.name;
            for hook in module.hooks {
                let installed = hook.install(&module.context, name)?;
                hooks.push(Hook { module: name, rank, installed });
            }
        }
        hooks.sort_by(|a, b| a.key().cmp(&b.key()));
        Ok(Self::of(hooks, infos))
    }

    /// `hooks` must be sorted.
    fn of(hooks: Vec<Hook>, modules: Vec<&'static crate::module::info::ModuleInfo>) -> Self {
        let merged = |bare: EventId, own: EventId| {
            hooks.iter().filter(move |hook| {
                let id = hook.meta().event_id;
                id == bare || id == own
            })
        };
        let plain = |hook: &&Hook| {
            hook.meta().scope == Scope::Host && hook.meta().parameter == HookParameter::None
        };
        Self {
            slots: Slots::build(hooks.iter().filter(plain)),
            message_self: chain(merged(events::MessageBare::id(), events::MessageSelf::id())),
            presence_self: chain(merged(events::PresenceBare::id(), events::PresenceSelf::id())),
            iq: IqTable::build(&hooks),
            stanza_iq: PayloadMap::build(&hooks, &[events::StanzaIq::id()], |own| {
                chain(own.iter().copied())
            }),
            nonzas: PayloadMap::build(&hooks, &[events::StanzaElement::id()], |own| {
                chain(own.iter().copied())
            }),
            modules,
            earlier: vec![HandlerStats::default(); hooks.len()],
            hooks,
            life: Life::default(),
        }
    }

    /// Takes over the figures of `old`, the table that this table replaces.
    pub(crate) fn inherit(&mut self, old: &Self, global: &GlobalTable) {
        let stats = old.stats(global);
        for (hook, earlier) in self.hooks.iter().zip(&mut self.earlier) {
            let same = |(old, _): &(&Hook, &HandlerStats)| std::ptr::eq(old.meta(), hook.meta());
            if let Some((_, stats)) = old.hooks.iter().zip(&stats).find(same) {
                *earlier = *stats;
            }
        }
    }

    pub(crate) fn life(&self) -> &Life {
        &self.life
    }

    pub(crate) fn chain<P: Payload>(&self, id: EventId) -> Option<&Chain<P>> {
        self.slots.get(id)
    }

    pub(crate) fn message_self(&self) -> &Chain<Message> {
        &self.message_self
    }

    pub(crate) fn presence_self(&self) -> &Chain<Presence> {
        &self.presence_self
    }

    /// Finds the chain of an iq, with one look-up of borrowed strings.
    pub(crate) fn iq(
        &self,
        kind: IqType,
        destination: Destination,
        payload: Option<(&str, &str)>,
        id: &str,
    ) -> Option<&Chain<Iq>> {
        let at = match destination {
            Destination::Full => return self.chain(events::IqFull::id()),
            Destination::Bare => 0,
            Destination::Host => 1,
            Destination::Own => 2,
        };
        let generic = &self.iq.generic.get;
        match kind {
            IqType::Result => self.iq.results.get(at)?.get(id).or_else(|| generic.get(at)),
            IqType::Error => self.iq.errors.get(at)?.get(id).or_else(|| generic.get(at)),
            IqType::Get | IqType::Set => {
                let cascade = payload
                    .and_then(|(namespace, element)| self.iq.payloads.get(namespace, element))
                    .unwrap_or(&self.iq.generic);
                let slices = if kind == IqType::Get { &cascade.get } else { &cascade.set };
                slices.get(at)
            }
        }
    }

    pub(crate) fn stanza_iq(&self, namespace: &str, element: &str) -> Option<&Chain<Iq>> {
        self.stanza_iq.get(namespace, element)
    }

    pub(crate) fn nonza(&self, namespace: &str, element: &str) -> Option<&Chain<Nonza>> {
        self.nonzas.get(namespace, element)
    }

    pub(crate) fn modules(&self) -> &[&'static crate::module::info::ModuleInfo] {
        &self.modules
    }

    /// All handlers of the host, in the order of [`Hook::key`].
    pub(crate) fn hooks(&self) -> &[Hook] {
        &self.hooks
    }

    /// The figures of each handler, in the order of [`HostTable::hooks`].
    pub(crate) fn stats(&self, global: &GlobalTable) -> Vec<HandlerStats> {
        let mut passes_of = HashMap::<HandlerId, Passes>::new();
        let mut add = |handler: HandlerId, passes: Passes| {
            *passes_of.entry(handler).or_default() += passes;
        };
        let iq = self.iq.chains().chain(self.stanza_iq.values());
        iq.for_each(|chain| chain.count(&mut add));
        self.nonzas.values().for_each(|chain| chain.count(&mut add));
        self.message_self.count(&mut add);
        self.presence_self.count(&mut add);
        self.slots.chains().for_each(|chain| chain.count(&mut add));
        global.0.chains().for_each(|chain| chain.count(&mut add));
        let stats = |(hook, earlier): (&Hook, &HandlerStats)| {
            let passes = passes_of.get(&hook.installed.id()).copied();
            let mut stats = hook.installed.stats(passes.unwrap_or_default());
            stats += *earlier;
            stats
        };
        self.hooks.iter().zip(&self.earlier).map(stats).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::HostTable;
    use crate::{dispatch::table::order::Enabled, module::registry::Registry, testing};

    mod shuffled {
        use crate::prelude::*;

        /// Many handlers with equal priorities.
        #[module(name = "table_shuffled")]
        pub(crate) struct Shuffled;

        macro_rules! handlers {
            ($($module:ident)*) => {$(mod $module {
                use crate::prelude::*;

                #[hook("message/bare", priority = 5)]
                fn handle(_: &mut Message) {}

                #[hook("message/self", priority = 5)]
                fn handle_own(_: &mut Message) {}

                #[hook("iq-get/self/jabber:iq:version:query")]
                fn answer(_: &mut Iq) {}
            })*};
        }

        handlers!(a b c d e f);
    }

    /// The linker may give the hooks in any order.
    #[test]
    fn the_order_of_links_changes_nothing() {
        testing::run(async {
            let registry = Registry::linked().unwrap();
            let server = testing::host("localhost").module("table_shuffled").start().await.unwrap();
            let linked = registry.module("table_shuffled").unwrap();
            let running = linked.vtable.start(&server.context(), toml::Table::new()).await.unwrap();
            let listing = |hooks: Vec<_>| {
                let (info, context) = (linked.info, running.context());
                let enabled = [Enabled { info, hooks: &hooks, context }];
                format!("{:?}", HostTable::build(&[info.name], &enabled).unwrap())
            };
            let mut hooks = linked.hooks.clone();
            assert_eq!(hooks.len(), 18);
            let expected = listing(hooks.clone());
            for turn in 0..hooks.len() {
                hooks.rotate_left(1);
                hooks.swap(turn, (turn * 7) % 18);
                assert_eq!(listing(hooks.clone()), expected);
            }
            hooks.reverse();
            assert_eq!(listing(hooks), expected);
        });
    }
}
