//! A host's dispatch table: which handlers answer which event, in which order.
//!
//! It is built once, from the modules that run on the host, and never changes; a reload builds
//! another. Names are strings only here: a look-up is an index, or one hash for an iq's payload.

use std::{
    any::Any,
    collections::HashMap,
    hash::BuildHasher,
    sync::{Arc, LazyLock},
};

use event_catalogue::Band;
use hashbrown::{DefaultHashBuilder, Equivalent};
use tokio::sync::watch;

use crate::{
    context::AnyContext,
    dispatch::{Chain, Handler, HandlerStats, Passes},
    event::{Event, EventId, Payload, Scope},
    events,
    registry::{
        AnyChain, HandlerId, HookMeta, HookParameter, HookRecord, Installed, LinkedModule,
        Registry, event_count,
    },
    stanza::{Destination, Iq, IqType, Message, Nonza, Presence},
    start::StartError,
};

/// A host's table, borrowed: a count of references is shared by all threads, a loan is not.
pub(crate) type Table = arc_swap::Guard<Arc<HostTable>>;

/// The handlers of one host.
pub(crate) struct HostTable {
    slots: Slots,
    message_self: Chain<Message>,
    presence_self: Chain<Presence>,
    iq: IqTable,
    stanza_iq: PayloadMap<Chain<Iq>>,
    nonzas: PayloadMap<Chain<Nonza>>,
    hooks: Vec<Hook>,
    /// What each of them did in the tables before this one.
    earlier: Vec<HandlerStats>,
    modules: Vec<&'static crate::ModuleInfo>,
    life: Life,
}

impl std::fmt::Debug for HostTable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.hooks.iter().map(|hook| hook.installed.meta)).finish()
    }
}

/// A handler in a table: who it belongs to, and its place among equals.
pub(crate) struct Hook {
    pub(crate) module: &'static str,
    rank: usize,
    installed: Installed,
}

impl Hook {
    pub(crate) fn meta(&self) -> &'static HookMeta {
        self.installed.meta
    }

    /// The total order: priority, `/bare` before `/self`, the order of modules, the place.
    fn key(&self) -> impl Ord {
        let meta = self.installed.meta;
        let own = SELF.contains(&(meta.event_id)());
        // Hooks that one macro wrote share their place.
        let place = (meta.file, meta.line, meta.column, meta.function, meta.module_path);
        (std::cmp::Reverse(meta.priority), own, self.rank, place)
    }
}

/// The events that run in one chain with those of `/bare`, after them.
static SELF: LazyLock<[EventId; 8]> = LazyLock::new(|| {
    [
        events::MessageSelf::id(),
        events::PresenceSelf::id(),
        events::IqSelf::id(),
        events::IqSelfPayload::id(),
        events::IqGetSelf::id(),
        events::IqSetSelf::id(),
        events::IqResultSelf::id(),
        events::IqErrorSelf::id(),
    ]
});

/// A module that runs on a host, as the table builder needs it.
pub(crate) struct Enabled<'a> {
    pub(crate) module: &'a LinkedModule,
    pub(crate) context: AnyContext,
}

/// A chain for each event id, of whatever payload.
#[derive(Default)]
struct Slots(Vec<Option<Box<dyn AnyChain>>>);

impl Slots {
    fn build<'a>(hooks: impl Iterator<Item = &'a Hook>) -> Self {
        let mut slots: Vec<Vec<&Hook>> = Vec::new();
        slots.resize_with(event_count(), Vec::new);
        for hook in hooks {
            let id = (hook.meta().event_id)();
            if let Some(slot) = slots.get_mut(usize::from(id.0)) {
                slot.push(hook);
            }
        }
        let chain = |mut hooks: Vec<&Hook>| {
            hooks.sort_by(|a, b| a.key().cmp(&b.key()));
            let installed: Vec<_> = hooks.iter().map(|hook| &hook.installed).collect();
            installed.first().map(|first| (first.chain)(&installed))
        };
        Self(slots.into_iter().map(chain).collect())
    }

    fn get<P: Payload>(&self, id: EventId) -> Option<&Chain<P>> {
        let chain: &dyn Any = &**self.0.get(usize::from(id.0))?.as_ref()?;
        chain.downcast_ref()
    }

    fn chains(&self) -> impl Iterator<Item = &dyn AnyChain> {
        self.0.iter().flatten().map(|chain| &**chain)
    }
}

/// The cascades of iq stanzas to a bare JID, a host, and oneself.
struct IqTable {
    /// What an iq meets whose payload nobody hooked.
    generic: Cascade,
    payloads: PayloadMap<Cascade>,
    results: [HashMap<Box<str>, Chain<Iq>>; 3],
    errors: [HashMap<Box<str>, Chain<Iq>>; 3],
}

/// The slices of one payload: for get, set and answers, by destination.
struct Cascade {
    get: [Chain<Iq>; 3],
    set: [Chain<Iq>; 3],
}

impl HostTable {
    /// The table of a host on which nothing runs yet.
    pub(crate) fn empty() -> Self {
        Self::of(Vec::new(), Vec::new())
    }

    /// Builds the table of a host on which `enabled` run, in the order of the configuration.
    pub(crate) fn build(registry: &Registry, enabled: &[Enabled<'_>]) -> Result<Self, StartError> {
        let ranks = ranks(registry, enabled)?;
        let mut hooks = Vec::new();
        for (module, rank) in enabled.iter().zip(ranks) {
            for record in &module.module.hooks {
                let record: &'static HookRecord = record;
                let installed = module.module.install(record, &module.context)?;
                hooks.push(Hook { module: module.module.info.name, rank, installed });
            }
        }
        hooks.sort_by(|a, b| a.key().cmp(&b.key()));
        Ok(Self::of(hooks, enabled.iter().map(|enabled| enabled.module.info).collect()))
    }

    /// `hooks` are in order.
    fn of(hooks: Vec<Hook>, modules: Vec<&'static crate::ModuleInfo>) -> Self {
        let merged = |bare: EventId, own: EventId| {
            hooks.iter().filter(move |hook| {
                let id = (hook.meta().event_id)();
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

    /// Takes over the figures of the table that this one replaces.
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

    /// The cascade of an iq: one look-up of borrowed strings.
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

    pub(crate) fn modules(&self) -> &[&'static crate::ModuleInfo] {
        &self.modules
    }

    /// All handlers in the order of their events and, within one, of their turns.
    pub(crate) fn hooks(&self) -> impl Iterator<Item = &Hook> {
        self.hooks.iter()
    }

    /// What each handler did so far, in order of [`HostTable::hooks`].
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

/// Ends with its table, which the last dispatch on it keeps.
#[derive(Default)]
pub(crate) struct Life(watch::Sender<()>);

impl Life {
    /// Waits for the end of the table.
    pub(crate) fn end(&self) -> impl Future<Output = ()> + Send + use<> {
        let mut table = self.0.subscribe();
        async move { while table.changed().await.is_ok() {} }
    }
}

/// The handlers of global events, of all hosts: by priority, then host.
pub(crate) struct GlobalTable(Slots, Life);

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

impl IqTable {
    fn build(hooks: &[Hook]) -> Self {
        let specific = [
            events::IqBarePayload::id(),
            events::IqHostPayload::id(),
            events::IqSelfPayload::id(),
            events::IqGetBare::id(),
            events::IqGetHost::id(),
            events::IqGetSelf::id(),
            events::IqSetBare::id(),
            events::IqSetHost::id(),
            events::IqSetSelf::id(),
        ];
        let results =
            [events::IqResultBare::id(), events::IqResultHost::id(), events::IqResultSelf::id()];
        let errors =
            [events::IqErrorBare::id(), events::IqErrorHost::id(), events::IqErrorSelf::id()];
        // Every payload has a cascade: it looks through few hooks.
        let is_generic = |hook: &&Hook| {
            let id = (hook.meta().event_id)();
            STEPS.iter().flat_map(|steps| steps.generic).any(|event| event() == id)
        };
        let generic: Vec<&Hook> = hooks.iter().filter(is_generic).collect();
        Self {
            generic: Cascade::build(&generic, &[]),
            payloads: PayloadMap::build(hooks, &specific, |own| Cascade::build(&generic, own)),
            results: by_id(hooks, results),
            errors: by_id(hooks, errors),
        }
    }

    fn chains(&self) -> impl Iterator<Item = &Chain<Iq>> {
        let cascades = self.payloads.values().chain([&self.generic]);
        let ids = self.results.iter().chain(&self.errors).flat_map(HashMap::values);
        cascades.flat_map(|cascade| cascade.get.iter().chain(&cascade.set)).chain(ids)
    }
}

/// The events of one destination's steps; for oneself, `/bare` and `/self` make one step.
struct Steps {
    generic: &'static [fn() -> EventId],
    payload: &'static [fn() -> EventId],
    get: &'static [fn() -> EventId],
    set: &'static [fn() -> EventId],
}

const STEPS: [Steps; 3] = [
    Steps {
        generic: &[events::IqBare::id],
        payload: &[events::IqBarePayload::id],
        get: &[events::IqGetBare::id],
        set: &[events::IqSetBare::id],
    },
    Steps {
        generic: &[events::IqHost::id],
        payload: &[events::IqHostPayload::id],
        get: &[events::IqGetHost::id],
        set: &[events::IqSetHost::id],
    },
    Steps {
        generic: &[events::IqBare::id, events::IqSelf::id],
        payload: &[events::IqBarePayload::id, events::IqSelfPayload::id],
        get: &[events::IqGetBare::id, events::IqGetSelf::id],
        set: &[events::IqSetBare::id, events::IqSetSelf::id],
    },
];

impl Cascade {
    /// `own` are the handlers of one payload.
    fn build(generic: &[&Hook], own: &[&Hook]) -> Self {
        Self {
            get: STEPS.map(|steps| cascade(generic, &steps, own, Some(steps.get))),
            set: STEPS.map(|steps| cascade(generic, &steps, own, Some(steps.set))),
        }
    }
}

/// `iq/DEST` at 0 and above, the payload's steps, `iq/DEST` at -1: one slice.
fn cascade(
    generic: &[&Hook],
    steps: &Steps,
    own: &[&Hook],
    typed: Option<&[fn() -> EventId]>,
) -> Chain<Iq> {
    let is = |hook: &Hook, events: &[fn() -> EventId]| {
        events.iter().any(|event| event() == (hook.meta().event_id)())
    };
    let generic = |deliver: bool| {
        generic.iter().copied().filter(move |hook| {
            is(hook, steps.generic) && (hook.meta().band() == Some(Band::Deliver)) == deliver
        })
    };
    let payload = own.iter().copied().filter(|hook| is(hook, steps.payload));
    let typed = own.iter().copied().filter(|hook| is(hook, typed.unwrap_or(&[])));
    chain(generic(false).chain(payload).chain(typed).chain(generic(true)))
}

/// The slices of answers with a fixed id: `iq/DEST`, `iq-TYPE/DEST/ID`, `iq/DEST` at -1.
fn by_id(hooks: &[Hook], events: [EventId; 3]) -> [HashMap<Box<str>, Chain<Iq>>; 3] {
    let [bare, host, own] = &STEPS;
    let [bare_id, host_id, _] = events;
    let build = |steps: &Steps, ids: &[EventId]| {
        let mut map = HashMap::new();
        for hook in hooks {
            let HookParameter::Id(id) = hook.meta().parameter else { continue };
            if !ids.contains(&(hook.meta().event_id)()) || map.contains_key(id) {
                continue;
            }
            let same: Vec<_> = hooks
                .iter()
                .filter(|hook| {
                    hook.meta().parameter == HookParameter::Id(id)
                        && ids.contains(&(hook.meta().event_id)())
                })
                .collect();
            let is_generic = |hook: &&Hook| {
                steps.generic.iter().any(|event| event() == (hook.meta().event_id)())
            };
            let deliver = |hook: &&Hook| hook.meta().band() == Some(Band::Deliver);
            let before = hooks.iter().filter(is_generic).filter(|hook| !deliver(hook));
            let after = hooks.iter().filter(is_generic).filter(deliver);
            map.insert(Box::from(id), chain(before.chain(same).chain(after)));
        }
        map
    };
    [build(bare, &[bare_id]), build(host, &[host_id]), build(own, &[bare_id, events[2]])]
}

fn chain<'a, P: Payload>(hooks: impl IntoIterator<Item = &'a Hook>) -> Chain<P> {
    let handlers = hooks.into_iter().filter_map(|hook| hook.installed.typed::<P>());
    Chain::new(handlers.collect::<Vec<Arc<Handler<P>>>>())
}

/// Values by namespace and element name, found with one hash of borrowed strings.
struct PayloadMap<V, S = DefaultHashBuilder>(hashbrown::HashMap<(Box<str>, Box<str>), V, S>);

#[derive(Hash)]
struct PayloadKey<'a>(&'a str, &'a str);

impl Equivalent<(Box<str>, Box<str>)> for PayloadKey<'_> {
    fn equivalent(&self, key: &(Box<str>, Box<str>)) -> bool {
        *self.0 == *key.0 && *self.1 == *key.1
    }
}

impl<V, S: BuildHasher + Default> PayloadMap<V, S> {
    /// One value for each payload that a hook of `events` names.
    fn build(hooks: &[Hook], events: &[EventId], value: impl Fn(&[&Hook]) -> V) -> Self {
        let mut keys = hashbrown::HashMap::<(Box<str>, Box<str>), Vec<&Hook>>::new();
        for hook in hooks {
            if let HookParameter::Payload { namespace, element } = hook.meta().parameter
                && events.contains(&(hook.meta().event_id)())
            {
                keys.entry((namespace.into(), element.into())).or_default().push(hook);
            }
        }
        Self(keys.into_iter().map(|(key, hooks)| (key, value(&hooks))).collect())
    }

    fn get(&self, namespace: &str, element: &str) -> Option<&V> {
        self.0.get(&PayloadKey(namespace, element))
    }

    fn values(&self) -> impl Iterator<Item = &V> {
        self.0.values()
    }
}

/// Each module's place among equals: what `after` says, else the order of the configuration.
fn ranks(registry: &Registry, enabled: &[Enabled<'_>]) -> Result<Vec<usize>, StartError> {
    let infos: Vec<_> = enabled.iter().map(|enabled| enabled.module.info).collect();
    let place = |name: &str| infos.iter().position(|info| info.name == name);
    let mut waits = Vec::with_capacity(infos.len());
    for info in &infos {
        let mut before = Vec::new();
        for after in info.after {
            match place(after) {
                Some(index) => before.push(index),
                // Linked but not enabled here: nothing to wait for. Misspelt: say so.
                None if registry.module(after).is_some() => {}
                None => {
                    let nearest = event_catalogue::nearest(after, registry.names());
                    if !nearest.is_empty() {
                        return Err(StartError::UnknownAfter { module: info.name, after, nearest });
                    }
                }
            }
        }
        waits.push(before);
    }
    let mut ranks: Vec<Option<usize>> = vec![None; infos.len()];
    for rank in 0..infos.len() {
        let ready = (0..infos.len()).find(|&index| {
            let is_ranked = |&other: &usize| ranks.get(other).is_some_and(Option::is_some);
            ranks.get(index) == Some(&None)
                && waits.get(index).is_some_and(|waits| waits.iter().all(is_ranked))
        });
        match ready.and_then(|index| ranks.get_mut(index)) {
            Some(place) => *place = Some(rank),
            None => return Err(StartError::AfterCycle { cycle: cycle(&infos, &waits, &ranks) }),
        }
    }
    Ok(ranks.into_iter().flatten().collect())
}

/// Follows unranked modules until one comes round again.
fn cycle(
    infos: &[&'static crate::ModuleInfo],
    waits: &[Vec<usize>],
    ranks: &[Option<usize>],
) -> Vec<&'static str> {
    let unranked = |index: &usize| ranks.get(*index) == Some(&None);
    let mut path: Vec<usize> = Vec::new();
    let mut next = (0..infos.len()).find(unranked);
    while let Some(index) = next {
        if let Some(start) = path.iter().position(|&seen| seen == index) {
            path.push(index);
            path.drain(..start);
            break;
        }
        path.push(index);
        next = waits.get(index).and_then(|waits| waits.iter().copied().find(|i| unranked(i)));
    }
    path.iter().filter_map(|&index| infos.get(index)).map(|info| info.name).collect()
}

#[cfg(test)]
mod tests {
    use std::{
        cell::Cell,
        hash::{BuildHasher, DefaultHasher},
    };

    use super::{HostTable, PayloadMap};
    use crate::{Registry, registry::LinkedModule, table::Enabled, testing};

    mod shuffled {
        use crate::prelude::*;

        /// Many handlers that could tie.
        #[module(name = "table_shuffled")]
        pub(super) struct Shuffled;

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

    /// The linker hands the hooks over in any order.
    #[test]
    fn the_order_of_links_changes_nothing() {
        testing::run(async {
            let registry = Registry::linked().unwrap();
            let server = testing::host("localhost").module("table_shuffled").start().await.unwrap();
            let linked = registry.module("table_shuffled").unwrap();
            let running = linked.vtable.start(&server.host(), toml::Table::new()).await.unwrap();
            let listing = |hooks| {
                let module = LinkedModule { info: linked.info, vtable: linked.vtable, hooks };
                let enabled = [Enabled { module: &module, context: running.context() }];
                format!("{:?}", HostTable::build(&registry, &enabled).unwrap())
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

    thread_local! {
        static HASHES: Cell<u32> = const { Cell::new(0) };
    }

    /// Counts the hashes that are begun.
    #[derive(Default)]
    struct CountHashes;

    impl BuildHasher for CountHashes {
        type Hasher = DefaultHasher;

        fn build_hasher(&self) -> DefaultHasher {
            HASHES.set(HASHES.get() + 1);
            DefaultHasher::new()
        }
    }

    #[test]
    fn a_look_up_hashes_once() {
        let mut map = PayloadMap::<_, CountHashes>::build(&[], &[], |_| 0);
        map.0.insert(("urn:xmpp:ping".into(), "ping".into()), 1);
        HASHES.set(0);
        assert_eq!(map.get("urn:xmpp:ping", "ping"), Some(&1));
        assert_eq!(HASHES.get(), 1);
        assert_eq!(map.get("urn:xmpp:ping", "pong"), None);
        assert_eq!(HASHES.get(), 2);
    }
}
