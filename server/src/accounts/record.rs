//! The stored form of an account: one line of SCRAM keys for each hash.

use event_core::services::{ScramHash, ScramKeys};
use ring::{
    hmac,
    rand::{SecureRandom, SystemRandom},
};
use zeroize::Zeroizing;

use super::{
    error::{AccountStoreError, PasswordError},
    keys,
};

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
        let salt: [u8; 16] = random()?;
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

/// Makes keys for an account that does not exist. One name always has the same keys.
pub(super) fn made_up(
    secret: &[u8],
    host: &str,
    name: &str,
    hash: ScramHash,
    iterations: u32,
) -> ScramKeys {
    let key = hmac::Key::new(hmac::HMAC_SHA512, secret);
    let bytes = |purpose: &str, length: usize| {
        let text = format!("{purpose}\0{hash:?}\0{host}\0{name}");
        hmac::sign(&key, text.as_bytes()).as_ref().iter().copied().take(length).collect()
    };
    ScramKeys {
        hash,
        iterations,
        salt: bytes("salt", 16),
        stored_key: bytes("stored key", hash.output_len()),
        server_key: bytes("server key", hash.output_len()),
    }
}

/// Random bytes from the kernel.
pub(super) fn random<const N: usize>() -> Result<[u8; N], AccountStoreError> {
    let mut bytes = [0; N];
    SystemRandom::new().fill(&mut bytes).map_err(|_| AccountStoreError::Random)?;
    Ok(bytes)
}
