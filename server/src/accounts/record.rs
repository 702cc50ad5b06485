//! The stored form of an account: one line of SCRAM keys for each hash.

use event_core::services::{ScramHash, ScramKeys};
use ring::rand::{SecureRandom, SystemRandom};
use zeroize::Zeroizing;

use super::{
    error::{AccountStoreError, PasswordError},
    keys,
};
use crate::storage::Schema;

/// The store of accounts. The owner is the name in front of the `@`; the only key is empty.
pub const ACCOUNTS: Schema = Schema { store: "accounts", version: 1, migrations: &[] };
pub(super) const KEY: &str = "";

/// The hash that checks PLAIN passwords: the fastest with the processor's instructions.
pub(super) const CHECKED_HASH: ScramHash = ScramHash::Sha256;

/// The length of the salts of new passwords, in bytes.
pub(super) const SALT_LENGTH: usize = 16;

/// Prepares a password with SASLprep (RFC 4013).
pub(super) fn prepare(password: &str) -> Result<Zeroizing<String>, PasswordError> {
    let prepared = stringprep::saslprep(password).map_err(|_| PasswordError::Characters)?;
    if prepared.is_empty() {
        return Err(PasswordError::Empty);
    }
    Ok(Zeroizing::new(prepared.into_owned()))
}

/// Hashes a prepared password with every hash, each with a salt of its own.
pub(super) fn make(password: &str, iterations: u32) -> Result<Vec<u8>, AccountStoreError> {
    let mut lines = Vec::with_capacity(512);
    for hash in ScramHash::ALL {
        let salt: [u8; SALT_LENGTH] = random()?;
        let keys = keys::derive(hash, password.as_bytes(), &salt, iterations);
        lines.extend_from_slice(keys::to_text(&keys).as_bytes());
        lines.push(b'\n');
    }
    Ok(lines)
}

/// The keys for one hash, if the record has valid ones.
pub(super) fn find(record: &[u8], hash: ScramHash) -> Option<ScramKeys> {
    let text = std::str::from_utf8(record).ok()?;
    text.lines().filter_map(|line| keys::parse(line).ok()).find(|keys| keys.hash == hash)
}

/// Random bytes from the kernel.
pub(super) fn random<const N: usize>() -> Result<[u8; N], AccountStoreError> {
    let mut bytes = [0; N];
    SystemRandom::new().fill(&mut bytes).map_err(|_| AccountStoreError::Random)?;
    Ok(bytes)
}
