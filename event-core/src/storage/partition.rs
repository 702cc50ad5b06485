//! The data of one owner in one store of one host.

/// The data of one owner in one store of one host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Partition<'a> {
    /// The host.
    pub host: &'a str,
    /// The store within the host.
    pub store: &'a str,
    /// The username; empty for the host itself.
    pub owner: &'a str,
}

impl<'a> Partition<'a> {
    /// The maximum length of host, store, owner and key together, in bytes. Two addresses with the
    /// longest usernames and DNS names fit. An index row of PostgreSQL has a slightly higher limit.
    pub const MAX_NAME: usize = 2600;

    /// The data of `owner` in `store` of `host`.
    pub const fn new(host: &'a str, store: &'a str, owner: &'a str) -> Self {
        Self { host, store, owner }
    }

    /// Whether `key` can be stored in this partition: the names together are not longer than
    /// [`MAX_NAME`](Self::MAX_NAME) and contain no NUL, which PostgreSQL refuses. For other keys,
    /// writes fail with [`StorageError::Name`](super::StorageError::Name) and reads find nothing.
    pub fn is_sound(&self, key: &str) -> bool {
        let parts = [self.host, self.store, self.owner, key];
        let length: usize = parts.iter().map(|part| part.len()).sum();
        length <= Self::MAX_NAME && !parts.iter().any(|part| part.contains('\0'))
    }
}
