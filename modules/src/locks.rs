//! A lock for each account, so that no other task writes between the read and the write of a task.

use std::{
    collections::HashMap,
    sync::{Arc, Weak},
};

use parking_lot::Mutex;

use tokio::sync::{Mutex as AsyncMutex, OwnedMutexGuard};

/// Locks by name. Tasks get a lock in the order of their requests.
#[derive(Debug, Default)]
pub(crate) struct Locks(Mutex<LockMap>);

#[derive(Debug, Default)]
struct LockMap {
    locks: HashMap<Box<str>, Weak<AsyncMutex<()>>>,
    /// The number of locks at which unused locks are removed.
    sweep_at: usize,
}

impl Locks {
    /// Waits for the lock of `name`.
    pub(crate) async fn lock(&self, name: &str) -> OwnedMutexGuard<()> {
        self.get(name).lock_owned().await
    }

    fn get(&self, name: &str) -> Arc<AsyncMutex<()>> {
        let mut map = self.0.lock();
        if let Some(lock) = map.locks.get(name).and_then(Weak::upgrade) {
            return lock;
        }
        if map.locks.len() >= map.sweep_at {
            map.locks.retain(|_, lock| lock.strong_count() > 0);
            map.sweep_at = 2 * map.locks.len() + 16;
        }
        let lock = Arc::default();
        map.locks.insert(name.into(), Arc::downgrade(&lock));
        lock
    }
}

#[cfg(test)]
mod tests {
    use event_core::testing;

    use super::*;

    #[test]
    fn each_name_has_one_lock() {
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
    fn unused_locks_are_removed() {
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
