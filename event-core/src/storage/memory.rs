//! Storage that lasts as long as the process: for tests.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::{BoxFuture, Entry, KeyValue, Name, StorageError, StorageResult, Write};

/// [`KeyValue`] in memory.
#[derive(Debug, Default)]
pub struct Memory {
    values: Mutex<BTreeMap<Name, Vec<u8>>>,
}

impl Memory {
    /// An empty storage.
    pub fn new() -> Self {
        Self::default()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<Name, Vec<u8>>> {
        // A batch is checked before it is applied, so a panic cannot leave half of one behind.
        self.values.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl KeyValue for Memory {
    fn get<'a>(
        &'a self,
        host: &'a str,
        store: &'a str,
        key: &'a str,
    ) -> BoxFuture<'a, StorageResult<Option<Vec<u8>>>> {
        let value = self.lock().get(&Name::new(host, store, key)).cloned();
        Box::pin(std::future::ready(Ok(value)))
    }

    fn list<'a>(
        &'a self,
        host: &'a str,
        store: &'a str,
        after: Option<&'a str>,
        limit: u32,
    ) -> BoxFuture<'a, StorageResult<Vec<Entry>>> {
        let first = Name::new(host, store, after.unwrap_or_default());
        let start = match after {
            Some(_) => Bound::Excluded(first),
            None => Bound::Included(first),
        };
        let entries = self
            .lock()
            .range((start, Bound::Unbounded))
            .take_while(|(name, _)| name.host == host && name.store == store)
            .take(usize::try_from(limit).unwrap_or(usize::MAX))
            .map(|(name, value)| Entry { key: name.key.clone(), value: value.clone() })
            .collect();
        Box::pin(std::future::ready(Ok(entries)))
    }

    fn write(&self, batch: Vec<Write>) -> BoxFuture<'_, StorageResult<bool>> {
        Box::pin(std::future::ready(apply(&mut self.lock(), batch)))
    }
}

fn apply(values: &mut BTreeMap<Name, Vec<u8>>, batch: Vec<Write>) -> StorageResult<bool> {
    // What the batch itself has made or deleted, so that a failing one is noticed before any of it
    // is applied.
    let mut made: BTreeMap<&Name, bool> = BTreeMap::new();
    for write in &batch {
        let (name, exists) = match write {
            Write::Set(name, _) => (name, true),
            Write::Delete(name) => (name, false),
            Write::Create(name, _) => {
                let taken = made.get(name).copied().unwrap_or_else(|| values.contains_key(name));
                if taken {
                    return Err(StorageError::Exists(name.clone()));
                }
                (name, true)
            }
        };
        made.insert(name, exists);
    }
    let mut deleted = false;
    for write in batch {
        match write {
            Write::Set(name, value) | Write::Create(name, value) => {
                values.insert(name, value);
            }
            Write::Delete(name) => deleted |= values.remove(&name).is_some(),
        }
    }
    Ok(deleted)
}
