//! The chains of iq stanzas by their payload.

use std::collections::HashMap;

use event_catalogue::Band;

use crate::{
    dispatch::{
        chain::Chain,
        hook::HookParameter,
        table::{
            hook::{Hook, chain},
            slots::PayloadMap,
        },
    },
    events::{
        self,
        traits::{Event, EventId},
    },
    protocol::iq::Iq,
};

/// The chains of iq stanzas to a bare JID, a host, and the sender's own account.
pub(crate) struct IqTable {
    /// The chains for payloads without a hook.
    pub(crate) generic: Cascade,
    pub(crate) payloads: PayloadMap<Cascade>,
    pub(crate) results: [HashMap<Box<str>, Chain<Iq>>; 3],
    pub(crate) errors: [HashMap<Box<str>, Chain<Iq>>; 3],
}

/// The chains of one payload, for get and set, by destination.
pub(crate) struct Cascade {
    pub(crate) get: [Chain<Iq>; 3],
    pub(crate) set: [Chain<Iq>; 3],
}

impl IqTable {
    pub(crate) fn build(hooks: &[Hook]) -> Self {
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
        // Filtered once, because the cascade of every payload is built from these hooks.
        let is_generic = |hook: &&Hook| {
            let id = hook.meta().event_id;
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

    pub(crate) fn chains(&self) -> impl Iterator<Item = &Chain<Iq>> {
        let cascades = self.payloads.values().chain([&self.generic]);
        let ids = self.results.iter().chain(&self.errors).flat_map(HashMap::values);
        cascades.flat_map(|cascade| cascade.get.iter().chain(&cascade.set)).chain(ids)
    }
}

/// The events of one destination. For the sender's own account, `/bare` and `/self` are one step.
pub(crate) struct Steps {
    pub(crate) generic: &'static [fn() -> EventId],
    pub(crate) payload: &'static [fn() -> EventId],
    pub(crate) get: &'static [fn() -> EventId],
    pub(crate) set: &'static [fn() -> EventId],
}

pub(crate) const STEPS: [Steps; 3] = [
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
    pub(crate) fn build(generic: &[&Hook], own: &[&Hook]) -> Self {
        Self {
            get: STEPS.map(|steps| cascade(generic, &steps, own, steps.get)),
            set: STEPS.map(|steps| cascade(generic, &steps, own, steps.set)),
        }
    }
}

/// Builds one chain: `iq/DEST` at 0 and above, the events of the payload, `iq/DEST` at -1.
fn cascade(
    generic: &[&Hook],
    steps: &Steps,
    own: &[&Hook],
    typed: &[fn() -> EventId],
) -> Chain<Iq> {
    let generic = |deliver: bool| {
        generic.iter().copied().filter(move |hook| {
            is_of(hook, steps.generic) && (hook.meta().band() == Some(Band::Deliver)) == deliver
        })
    };
    chain(generic(false).chain(of_payload(steps, own, typed)).chain(generic(true)))
}

/// The handlers of one payload in their order: those of `iq/DEST/XMLNS:TAG`, then those of `typed`,
/// which is `iq-get` or `iq-set`.
pub(crate) fn of_payload<'a>(
    steps: &Steps,
    own: &[&'a Hook],
    typed: &[fn() -> EventId],
) -> impl Iterator<Item = &'a Hook> {
    let of = |events| own.iter().copied().filter(move |hook| is_of(hook, events));
    of(steps.payload).chain(of(typed))
}

fn is_of(hook: &Hook, events: &[fn() -> EventId]) -> bool {
    events.iter().any(|event| event() == hook.meta().event_id)
}

/// Builds the chains of answers by id: `iq/DEST`, `iq-TYPE/DEST/ID`, `iq/DEST` at -1.
pub(crate) fn by_id(hooks: &[Hook], events: [EventId; 3]) -> [HashMap<Box<str>, Chain<Iq>>; 3] {
    let [bare, host, own] = &STEPS;
    let [bare_id, host_id, _] = events;
    let build = |steps: &Steps, ids: &[EventId]| {
        let mut map = HashMap::new();
        for hook in hooks {
            let HookParameter::Id(id) = hook.meta().parameter else { continue };
            if !ids.contains(&hook.meta().event_id) || map.contains_key(id) {
                continue;
            }
            let same: Vec<_> = hooks
                .iter()
                .filter(|hook| {
                    hook.meta().parameter == HookParameter::Id(id)
                        && ids.contains(&hook.meta().event_id)
                })
                .collect();
            let is_generic =
                |hook: &&Hook| steps.generic.iter().any(|event| event() == hook.meta().event_id);
            let deliver = |hook: &&Hook| hook.meta().band() == Some(Band::Deliver);
            let before = hooks.iter().filter(is_generic).filter(|hook| !deliver(hook));
            let after = hooks.iter().filter(is_generic).filter(deliver);
            map.insert(Box::from(id), chain(before.chain(same).chain(after)));
        }
        map
    };
    [build(bare, &[bare_id]), build(host, &[host_id]), build(own, &[bare_id, events[2]])]
}
