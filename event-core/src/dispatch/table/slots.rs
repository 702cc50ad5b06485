//! Chains by event, and by namespace and element name.

use std::{any::Any, hash::BuildHasher};

use hashbrown::{DefaultHashBuilder, Equivalent};

use crate::{
    dispatch::{chain::Chain, hook::HookParameter, installer::AnyChain, table::hook::Hook},
    events::{
        declared::event_count,
        traits::{EventId, Payload},
    },
};

/// A chain for each event id, without its payload type.
#[derive(Default)]
pub(crate) struct Slots(pub(crate) Vec<Option<Box<dyn AnyChain>>>);

impl Slots {
    pub(crate) fn build<'a>(hooks: impl Iterator<Item = &'a Hook>) -> Self {
        let mut slots: Vec<Vec<&Hook>> = Vec::new();
        slots.resize_with(event_count(), Vec::new);
        for hook in hooks {
            let id = hook.meta().event_id;
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

    pub(crate) fn get<P: Payload>(&self, id: EventId) -> Option<&Chain<P>> {
        let chain: &dyn Any = &**self.0.get(usize::from(id.0))?.as_ref()?;
        chain.downcast_ref()
    }

    pub(crate) fn chains(&self) -> impl Iterator<Item = &dyn AnyChain> {
        self.0.iter().flatten().map(|chain| &**chain)
    }
}

/// Values by namespace and element name, found with one hash of borrowed strings.
pub(crate) struct PayloadMap<V, S = DefaultHashBuilder>(
    hashbrown::HashMap<(Box<str>, Box<str>), V, S>,
);

#[derive(Hash)]
pub(crate) struct PayloadKey<'a>(pub(crate) &'a str, &'a str);

impl Equivalent<(Box<str>, Box<str>)> for PayloadKey<'_> {
    fn equivalent(&self, key: &(Box<str>, Box<str>)) -> bool {
        *self.0 == *key.0 && *self.1 == *key.1
    }
}

impl<V, S: BuildHasher + Default> PayloadMap<V, S> {
    /// Makes one value for each payload that a hook of `events` names.
    pub(crate) fn build(hooks: &[Hook], events: &[EventId], value: impl Fn(&[&Hook]) -> V) -> Self {
        let mut keys = hashbrown::HashMap::<(Box<str>, Box<str>), Vec<&Hook>>::new();
        for hook in hooks {
            if let HookParameter::Payload { namespace, element } = hook.meta().parameter
                && events.contains(&hook.meta().event_id)
            {
                keys.entry((namespace.into(), element.into())).or_default().push(hook);
            }
        }
        Self(keys.into_iter().map(|(key, hooks)| (key, value(&hooks))).collect())
    }

    pub(crate) fn get(&self, namespace: &str, element: &str) -> Option<&V> {
        self.0.get(&PayloadKey(namespace, element))
    }

    pub(crate) fn values(&self) -> impl Iterator<Item = &V> {
        self.0.values()
    }
}

#[cfg(test)]
mod tests {
    use std::{
        cell::Cell,
        hash::{BuildHasher, DefaultHasher},
    };

    use super::PayloadMap;

    thread_local! {
        static HASHES: Cell<u32> = const { Cell::new(0) };
    }

    /// Counts the hashes.
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
