//! What is kept for each of many names while it is in use.

use std::{
    collections::HashMap,
    hash::Hash,
    sync::{Arc, Weak},
};

use parking_lot::Mutex;

/// The least number of entries at which unused ones are removed.
const SWEEP: usize = 1024;

/// A value for each name that somebody holds.
#[derive(Debug)]
pub(super) struct Shares<K, V>(Mutex<Map<K, V>>);

#[derive(Debug)]
struct Map<K, V> {
    known: HashMap<K, Weak<V>>,
    sweep_at: usize,
}

impl<K: Eq + Hash, V> Shares<K, V> {
    pub(super) fn new() -> Self {
        Self(Mutex::new(Map { known: HashMap::new(), sweep_at: SWEEP }))
    }

    /// The value of a name. If nobody holds one, it is made.
    pub(super) fn get(&self, name: K, new: impl FnOnce(&K) -> V) -> Arc<V> {
        let mut map = self.0.lock();
        if let Some(known) = map.known.get(&name).and_then(Weak::upgrade) {
            return known;
        }
        if map.known.len() >= map.sweep_at {
            map.known.retain(|_, value| value.strong_count() > 0);
            map.sweep_at = SWEEP.max(2 * map.known.len());
        }
        let made = Arc::new(new(&name));
        map.known.insert(name, Arc::downgrade(&made));
        made
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nobody_holds_is_forgotten() {
        let shares = Shares::new();
        let held = shares.get(0, |number| number + 1);
        assert_eq!((*held, *shares.get(0, |_| 5)), (1, 1));
        for number in 1..10 * SWEEP {
            shares.get(number, |number| *number);
        }
        assert!(shares.0.lock().known.len() <= SWEEP);
        assert_eq!(*shares.get(0, |_| 5), 1);
    }
}
