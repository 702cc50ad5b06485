//! The writes of a transaction, and the names of what they write.

use std::{fmt, time::SystemTime};

use super::partition::Partition;

/// The name of a value in a map.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Name {
    /// The host.
    pub host: String,
    /// The store within the host.
    pub store: String,
    /// The username; empty for the host itself.
    pub owner: String,
    /// The key.
    pub key: String,
}

/// The name of an archive.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Archive {
    /// The host.
    pub host: String,
    /// The store within the host.
    pub store: String,
    /// The username; empty for the host itself.
    pub owner: String,
}

/// One write of a transaction. The debug text omits values, because values may be secrets.
#[derive(Clone, PartialEq, Eq)]
pub enum Write {
    /// Sets a value. An existing value is replaced.
    Set(Name, Vec<u8>),
    /// Sets a value that must not exist yet. If the value exists, the transaction fails with
    /// [`StorageError::Exists`](super::StorageError::Exists).
    Create(Name, Vec<u8>),
    /// Changes nothing; the transaction fails with
    /// [`StorageError::NotFound`](super::StorageError::NotFound) unless the value exists.
    Require(Name),
    /// Deletes a value if it exists.
    Delete(Name),
    /// Appends a value to an archive. If the archive already has `limit` values, the transaction
    /// fails with [`StorageError::Full`](super::StorageError::Full).
    Append {
        /// The archive.
        archive: Archive,
        /// The time when the value arrived.
        at: SystemTime,
        /// The value.
        value: Vec<u8>,
        /// The maximum number of values in the archive.
        limit: Option<u64>,
    },
    /// Deletes the values of an archive up to and including an id.
    DeleteUpTo(Archive, i64),
    /// Deletes all data of an owner in all stores of a host.
    Purge {
        /// The host.
        host: String,
        /// The owner.
        owner: String,
    },
}

impl Write {
    /// See [`Write::Set`].
    pub fn set(partition: Partition<'_>, key: &str, value: Vec<u8>) -> Self {
        Self::Set(Name::new(partition, key), value)
    }

    /// See [`Write::Create`].
    pub fn create(partition: Partition<'_>, key: &str, value: Vec<u8>) -> Self {
        Self::Create(Name::new(partition, key), value)
    }

    /// See [`Write::Require`].
    pub fn require(partition: Partition<'_>, key: &str) -> Self {
        Self::Require(Name::new(partition, key))
    }

    /// See [`Write::Delete`].
    pub fn delete(partition: Partition<'_>, key: &str) -> Self {
        Self::Delete(Name::new(partition, key))
    }

    /// See [`Write::Append`].
    pub fn append(
        partition: Partition<'_>,
        at: SystemTime,
        value: Vec<u8>,
        limit: Option<u64>,
    ) -> Self {
        Self::Append { archive: Archive::new(partition), at, value, limit }
    }

    /// See [`Write::DeleteUpTo`].
    pub fn delete_up_to(partition: Partition<'_>, id: i64) -> Self {
        Self::DeleteUpTo(Archive::new(partition), id)
    }

    /// See [`Write::Purge`].
    pub fn purge(host: &str, owner: &str) -> Self {
        Self::Purge { host: host.to_owned(), owner: owner.to_owned() }
    }

    /// The length of the value, in bytes; zero for a write without one.
    pub fn size(&self) -> usize {
        match self {
            Self::Set(_, value) | Self::Create(_, value) | Self::Append { value, .. } => {
                value.len()
            }
            Self::Require(_) | Self::Delete(_) | Self::DeleteUpTo(..) | Self::Purge { .. } => 0,
        }
    }

    /// The host and the owner of the data.
    pub fn owner(&self) -> (&str, &str) {
        match self {
            Self::Set(Name { host, owner, .. }, _)
            | Self::Create(Name { host, owner, .. }, _)
            | Self::Require(Name { host, owner, .. })
            | Self::Delete(Name { host, owner, .. })
            | Self::Append { archive: Archive { host, owner, .. }, .. }
            | Self::DeleteUpTo(Archive { host, owner, .. }, _)
            | Self::Purge { host, owner } => (host, owner),
        }
    }

    /// Whether the names in this write can be stored: see [`Partition::is_sound`].
    pub fn is_sound(&self) -> bool {
        match self {
            Self::Set(name, _)
            | Self::Create(name, _)
            | Self::Require(name)
            | Self::Delete(name) => name.partition().is_sound(&name.key),
            Self::Append { archive, .. } | Self::DeleteUpTo(archive, _) => {
                archive.partition().is_sound("")
            }
            Self::Purge { host, owner } => Partition::new(host, "", owner).is_sound(""),
        }
    }
}

impl fmt::Debug for Write {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Set(name, _) => f.debug_tuple("Set").field(name).finish(),
            Self::Create(name, _) => f.debug_tuple("Create").field(name).finish(),
            Self::Require(name) => f.debug_tuple("Require").field(name).finish(),
            Self::Delete(name) => f.debug_tuple("Delete").field(name).finish(),
            Self::Append { archive, .. } => f.debug_tuple("Append").field(archive).finish(),
            Self::DeleteUpTo(archive, id) => {
                f.debug_tuple("DeleteUpTo").field(archive).field(id).finish()
            }
            Self::Purge { host, owner } => f.debug_tuple("Purge").field(host).field(owner).finish(),
        }
    }
}

impl Name {
    /// Makes the name of a key in a partition.
    pub fn new(partition: Partition<'_>, key: &str) -> Self {
        let Archive { host, store, owner } = Archive::new(partition);
        Self { host, store, owner, key: key.to_owned() }
    }

    /// The partition of this name.
    pub fn partition(&self) -> Partition<'_> {
        Partition::new(&self.host, &self.store, &self.owner)
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { host, store, owner, key } = self;
        write!(f, "key \"{key}\" of \"{owner}\" in {store} of {host}")
    }
}

impl Archive {
    /// The archive of a partition.
    pub fn new(Partition { host, store, owner }: Partition<'_>) -> Self {
        Self { host: host.to_owned(), store: store.to_owned(), owner: owner.to_owned() }
    }

    /// The partition of this archive.
    pub fn partition(&self) -> Partition<'_> {
        Partition::new(&self.host, &self.store, &self.owner)
    }
}

impl fmt::Display for Archive {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { host, store, owner } = self;
        write!(f, "the archive of \"{owner}\" in {store} of {host}")
    }
}
