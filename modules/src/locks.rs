//! A lock for each account, so that what is read and then written for one is not written by
//! another in between.

use std::{
    collections::HashMap,
    sync::{Arc, Weak},
};

use parking_lot::Mutex;

use tokio::sync::{Mutex as AsyncMutex, OwnedMutexGuard};

/// Locks by name. Fair: who asked first is first.
#[derive(Debug, Default)]
pub(crate) struct Locks(Mutex<Known>);

#[derive(Debug, Default)]
struct Known {
    locks: HashMap<Box<str>, Weak<AsyncMutex<()>>>,
    /// How many there may be before those that nobody holds are forgotten.
    sweep_at: usize,
}

impl Locks {
    /// Waits for the lock of a name.
    pub(crate) async fn lock(&self, name: &str) -> OwnedMutexGuard<()> {
        self.get(name).lock_owned().await
    }

    fn get(&self, name: &str) -> Arc<AsyncMutex<()>> {
        let mut known = self.0.lock();
        if let Some(lock) = known.locks.get(name).and_then(Weak::upgrade) {
            return lock;
        }
        if known.locks.len() >= known.sweep_at {
            known.locks.retain(|_, lock| lock.strong_count() > 0);
            known.sweep_at = 2 * known.locks.len() + 16;
        }
        let lock = Arc::default();
        known.locks.insert(name.into(), Arc::downgrade(&lock));
        lock
    }
}

#[cfg(test)]
mod tests {
    use event_core::testing;

    use super::*;

    #[test]
    fn one_at_a_time_for_each_name() {
        testing::run(async {
            let locks = Locks::default();
            let held = locks.lock("romeo").await;
            let _other = locks.lock("juliet").await;
            let lock = locks.get("romeo");
            assert!(lock.try_lock().is_err());
            drop(held);
            assert!(lock.try_lock().is_ok());
        });
    }

    #[test]
    fn what_nobody_holds_is_forgotten() {
        testing::run(async {
            let locks = Locks::default();
            let _held = locks.lock("romeo").await;
            for number in 0..1000 {
                locks.lock(&number.to_string()).await;
            }
            assert!(locks.0.lock().locks.len() < 40);
            assert!(locks.get("romeo").try_lock().is_err());
        });
    }
}
