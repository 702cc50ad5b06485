//! Storage in memory, for tests.

use std::{
    collections::{BTreeMap, BTreeSet},
    future::ready,
    ops::Bound,
    time::SystemTime,
};

use parking_lot::{Mutex, MutexGuard};

use super::{
    Archive, Archived, Entry, Name, Page, Partition, Row, Schema, Storage, StorageError,
    StorageResult, Write,
};
use crate::util::future::BoxFuture;

/// [`Storage`] in memory.
#[derive(Debug, Default)]
pub struct Memory(Mutex<Tables>);

#[derive(Debug, Default)]
struct Tables {
    map: BTreeMap<Name, Vec<u8>>,
    archive: BTreeMap<(Archive, i64), (SystemTime, Vec<u8>)>,
    last_id: i64,
    schemas: BTreeMap<&'static str, Schema>,
}

/// The previous value of an entry that a batch has changed. If the batch fails, the value is
/// restored.
#[derive(Debug)]
enum Undo {
    Map(Name, Option<Vec<u8>>),
    Archive((Archive, i64), Option<(SystemTime, Vec<u8>)>),
}

impl Memory {
    /// Makes an empty storage.
    pub fn new() -> Self {
        Self::default()
    }

    /// The schemas of the stores that were opened, sorted by the names of the stores.
    pub fn schemas(&self) -> Vec<Schema> {
        self.lock().schemas.values().copied().collect()
    }

    fn lock(&self) -> MutexGuard<'_, Tables> {
        self.0.lock()
    }
}

fn done<'a, T: Send + 'a>(value: T) -> BoxFuture<'a, StorageResult<T>> {
    Box::pin(ready(Ok(value)))
}

fn size(limit: u32) -> usize {
    usize::try_from(limit).unwrap_or(usize::MAX)
}

impl Storage for Memory {
    fn open<'a>(&'a self, schema: &'a Schema) -> BoxFuture<'a, StorageResult<()>> {
        Box::pin(ready(self.lock().open(schema)))
    }

    fn get<'a>(
        &'a self,
        partition: Partition<'a>,
        key: &'a str,
    ) -> BoxFuture<'a, StorageResult<Option<Vec<u8>>>> {
        done(self.lock().map.get(&Name::new(partition, key)).cloned())
    }

    fn list<'a>(
        &'a self,
        partition: Partition<'a>,
        after: Option<&'a str>,
        limit: u32,
    ) -> BoxFuture<'a, StorageResult<Vec<Entry>>> {
        let tables = self.lock();
        let entries = tables
            .entries(partition, after, limit)
            .map(|(name, value)| Entry { key: name.key.clone(), value: value.clone() });
        done(entries.collect())
    }

    fn keys<'a>(
        &'a self,
        partition: Partition<'a>,
        after: Option<&'a str>,
        limit: u32,
    ) -> BoxFuture<'a, StorageResult<Vec<String>>> {
        let tables = self.lock();
        let entries = tables.entries(partition, after, limit);
        done(entries.map(|(name, _)| name.key.clone()).collect())
    }

    fn owners<'a>(
        &'a self,
        host: &'a str,
        store: &'a str,
        after: Option<&'a str>,
        limit: u32,
    ) -> BoxFuture<'a, StorageResult<Vec<String>>> {
        if !Partition::new(host, store, after.unwrap_or_default()).is_sound("") {
            return done(Vec::new());
        }
        let tables = self.lock();
        let partitions = tables.map.keys().map(Name::partition);
        let archives = tables.archive.keys().map(|(archive, _)| archive.partition());
        let owners: BTreeSet<&str> = partitions
            .chain(archives)
            .filter(|partition| (partition.host, partition.store) == (host, store))
            .map(|partition| partition.owner)
            .filter(|owner| after.is_none_or(|after| *owner > after))
            .collect();
        done(owners.into_iter().take(size(limit)).map(str::to_owned).collect())
    }

    fn page<'a>(
        &'a self,
        partition: Partition<'a>,
        page: Page,
    ) -> BoxFuture<'a, StorageResult<Vec<Archived>>> {
        let archive = Archive::new(partition);
        let tables = self.lock();
        let values = tables
            .archive
            .range((archive.clone(), i64::MIN)..=(archive, i64::MAX))
            .filter(|((_, id), _)| page.after.is_none_or(|after| *id > after))
            .filter(|((_, id), _)| page.before.is_none_or(|before| *id < before))
            .map(|((_, id), (at, value))| Archived { id: *id, at: *at, value: value.clone() });
        let limit = size(page.limit);
        done(if page.newest_first {
            values.rev().take(limit).collect()
        } else {
            values.take(limit).collect()
        })
    }

    fn count<'a>(&'a self, partition: Partition<'a>) -> BoxFuture<'a, StorageResult<u64>> {
        done(self.lock().count(&Archive::new(partition)))
    }

    fn write(&self, batch: Vec<Write>) -> BoxFuture<'_, StorageResult<bool>> {
        Box::pin(ready(self.lock().write(batch)))
    }
}

impl Tables {
    /// The entries of a partition in order, beginning after `after`; none for names that cannot be
    /// stored.
    fn entries<'a>(
        &'a self,
        partition: Partition<'a>,
        after: Option<&str>,
        limit: u32,
    ) -> impl Iterator<Item = (&'a Name, &'a Vec<u8>)> {
        let is_sound = partition.is_sound(after.unwrap_or_default());
        let first = Name::new(partition, after.unwrap_or_default());
        let start = if after.is_some() { Bound::Excluded(first) } else { Bound::Included(first) };
        self.map
            .range((start, Bound::Unbounded))
            .take_while(move |(name, _)| is_sound && name.partition() == partition)
            .take(size(limit))
    }

    fn write(&mut self, batch: Vec<Write>) -> StorageResult<bool> {
        let (mut undo, mut deleted) = (Vec::new(), false);
        for write in batch {
            match self.apply(write, &mut undo) {
                Ok(found) => deleted |= found,
                Err(error) => {
                    while let Some(step) = undo.pop() {
                        self.restore(step);
                    }
                    return Err(error);
                }
            }
        }
        Ok(deleted)
    }

    fn apply(&mut self, write: Write, undo: &mut Vec<Undo>) -> StorageResult<bool> {
        if !write.is_sound() {
            return Err(StorageError::Name);
        }
        match write {
            Write::Create(name, _) if self.map.contains_key(&name) => {
                return Err(StorageError::Exists(name));
            }
            Write::Set(name, value) | Write::Create(name, value) => {
                let old = self.map.insert(name.clone(), value);
                undo.push(Undo::Map(name, old));
            }
            Write::Require(name) if self.map.contains_key(&name) => {}
            Write::Require(name) => return Err(StorageError::NotFound(name)),
            Write::Delete(name) => return Ok(self.remove(name, undo)),
            Write::Append { archive, at, value, limit } => {
                if limit.is_some_and(|limit| self.count(&archive) >= limit) {
                    return Err(StorageError::Full(archive));
                }
                self.last_id += 1;
                let name = (archive, self.last_id);
                undo.push(Undo::Archive(name.clone(), None));
                self.archive.insert(name, (at, value));
            }
            Write::DeleteUpTo(archive, id) => {
                let range = (archive.clone(), i64::MIN)..=(archive, id);
                let names: Vec<_> =
                    self.archive.range(range).map(|(name, _)| name.clone()).collect();
                return Ok(self.remove_archived(names, undo));
            }
            Write::Purge { host, owner } => {
                let is_theirs = |partition: Partition<'_>| {
                    (partition.host, partition.owner) == (host.as_str(), owner.as_str())
                };
                let names = self.map.keys().filter(|name| is_theirs(name.partition()));
                let names: Vec<_> = names.cloned().collect();
                let archived =
                    self.archive.keys().filter(|(archive, _)| is_theirs(archive.partition()));
                let archived: Vec<_> = archived.cloned().collect();
                let mut found = false;
                for name in names {
                    found |= self.remove(name, undo);
                }
                return Ok(found | self.remove_archived(archived, undo));
            }
        }
        Ok(false)
    }

    fn remove(&mut self, name: Name, undo: &mut Vec<Undo>) -> bool {
        let old = self.map.remove(&name);
        let found = old.is_some();
        undo.push(Undo::Map(name, old));
        found
    }

    fn remove_archived(&mut self, names: Vec<(Archive, i64)>, undo: &mut Vec<Undo>) -> bool {
        let found = !names.is_empty();
        for name in names {
            let old = self.archive.remove(&name);
            undo.push(Undo::Archive(name, old));
        }
        found
    }

    fn restore(&mut self, step: Undo) {
        match step {
            Undo::Map(name, Some(value)) => drop(self.map.insert(name, value)),
            Undo::Map(name, None) => drop(self.map.remove(&name)),
            Undo::Archive(name, Some(value)) => drop(self.archive.insert(name, value)),
            Undo::Archive(name, None) => drop(self.archive.remove(&name)),
        }
    }

    fn count(&self, archive: &Archive) -> u64 {
        let range = (archive.clone(), i64::MIN)..=(archive.clone(), i64::MAX);
        self.archive.range(range).count() as u64
    }

    fn open(&mut self, schema: &Schema) -> StorageResult<()> {
        let found = self.schemas.get(schema.store).map(|schema| i64::from(schema.version));
        let missing = schema.missing(found)?;
        let found = found.unwrap_or_default();
        let (mut map, mut archive) = (self.map.clone(), self.archive.clone());
        map.retain(|name, _| name.store != schema.store);
        archive.retain(|(archive, _), _| archive.store != schema.store);
        for (Name { host, store, owner, key }, value) in &self.map {
            if store == schema.store {
                let (host, owner) = (host.clone(), owner.clone());
                let row = Row { host, owner, key: Some(key.clone()), value: value.clone() };
                if let Some(Row { host, owner, key, value }) =
                    schema.migrate(found, missing, row)?
                {
                    let partition = Partition::new(&host, store, &owner);
                    map.insert(Name::new(partition, &key.unwrap_or_default()), value);
                }
            }
        }
        for ((Archive { host, store, owner }, id), (at, value)) in &self.archive {
            if store == schema.store {
                let (host, owner) = (host.clone(), owner.clone());
                let row = Row { host, owner, key: None, value: value.clone() };
                if let Some(Row { host, owner, value, .. }) = schema.migrate(found, missing, row)? {
                    let partition = Partition::new(&host, store, &owner);
                    archive.insert((Archive::new(partition), *id), (*at, value));
                }
            }
        }
        (self.map, self.archive) = (map, archive);
        self.schemas.insert(schema.store, *schema);
        Ok(())
    }
}
