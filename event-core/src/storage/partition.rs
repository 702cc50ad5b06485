//! The data of one owner in one store of one host.

/// What one owner has in one store of one host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Partition<'a> {
    /// The host it belongs to.
    pub host: &'a str,
    /// The store within the host.
    pub store: &'a str,
    /// The username whose data it is; empty for the host itself.
    pub owner: &'a str,
}

impl<'a> Partition<'a> {
    /// How long host, store, owner and key may be together, in bytes. Two addresses of the
    /// longest usernames and DNS names fit; an index of PostgreSQL takes little more.
    pub const MAX_NAME: usize = 2600;

    /// An owner's data in a store.
    pub const fn new(host: &'a str, store: &'a str, owner: &'a str) -> Self {
        Self { host, store, owner }
    }

    /// Whether there can be such a key: it is not longer than [`MAX_NAME`](Self::MAX_NAME) and
    /// has no NUL, which PostgreSQL does not know. Writes fail with
    /// [`StorageError::Name`](super::StorageError::Name) otherwise, and reads find nothing.
    pub fn is_sound(&self, key: &str) -> bool {
        let parts = [self.host, self.store, self.owner, key];
        let length: usize = parts.iter().map(|part| part.len()).sum();
        length <= Self::MAX_NAME && !parts.iter().any(|part| part.contains('\0'))
    }
}
