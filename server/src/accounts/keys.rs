//! The keys that SCRAM (RFC 5802) derives from a password, and their text form.

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use event_core::services::{ScramHash, ScramKeys};
use pbkdf2::pbkdf2_hmac;
use ring::{digest, hmac};
use sha1::Sha1;
use sha2::{Sha256, Sha512};
use subtle::ConstantTimeEq;
use thiserror::Error;
use zeroize::Zeroizing;

/// The stored keys cannot be parsed.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("stored SCRAM keys are damaged")]
pub struct DamagedKeys;

/// Derives the keys of a prepared password. This keeps a processor busy for some milliseconds.
pub fn derive(hash: ScramHash, password: &[u8], salt: &[u8], iterations: u32) -> ScramKeys {
    // PBKDF2 uses RustCrypto, because ring does not use the processor's SHA-1 instructions and
    // takes four times as long. Everything else uses ring.
    let mut salted = Zeroizing::new(vec![0; hash.output_len()]);
    let (mac, digest) = match hash {
        ScramHash::Sha1 => {
            pbkdf2_hmac::<Sha1>(password, salt, iterations, &mut salted);
            (hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, &digest::SHA1_FOR_LEGACY_USE_ONLY)
        }
        ScramHash::Sha256 => {
            pbkdf2_hmac::<Sha256>(password, salt, iterations, &mut salted);
            (hmac::HMAC_SHA256, &digest::SHA256)
        }
        ScramHash::Sha512 => {
            pbkdf2_hmac::<Sha512>(password, salt, iterations, &mut salted);
            (hmac::HMAC_SHA512, &digest::SHA512)
        }
    };
    let salted = hmac::Key::new(mac, &salted);
    let client_key = hmac::sign(&salted, b"Client Key");
    ScramKeys {
        hash,
        iterations,
        salt: salt.to_vec(),
        stored_key: digest::digest(digest, client_key.as_ref()).as_ref().to_vec(),
        server_key: hmac::sign(&salted, b"Server Key").as_ref().to_vec(),
    }
}

/// Whether the prepared password has these keys. The comparison takes constant time.
pub fn matches(keys: &ScramKeys, password: &[u8]) -> bool {
    let derived = derive(keys.hash, password, &keys.salt, keys.iterations);
    derived.stored_key.ct_eq(&keys.stored_key).into()
}

/// The name of the mechanism, which is also the name of the scheme in stored keys.
const fn scheme(hash: ScramHash) -> &'static str {
    match hash {
        ScramHash::Sha1 => "SCRAM-SHA-1",
        ScramHash::Sha256 => "SCRAM-SHA-256",
        ScramHash::Sha512 => "SCRAM-SHA-512",
    }
}

/// Writes the text form of RFC 5803, `SCRAM-SHA-1$4096:<salt>$<StoredKey>:<ServerKey>`.
pub fn to_text(keys: &ScramKeys) -> String {
    let [salt, stored, server] =
        [&keys.salt, &keys.stored_key, &keys.server_key].map(|bytes| BASE64.encode(bytes));
    format!("{}${}:{salt}${stored}:{server}", scheme(keys.hash), keys.iterations)
}

/// Parses the text form of RFC 5803.
///
/// # Errors
///
/// The text is malformed, or its parts do not fit the hash.
pub fn parse(text: &str) -> Result<ScramKeys, DamagedKeys> {
    let mut parts = text.split(['$', ':']);
    let mut next = || parts.next().ok_or(DamagedKeys);
    let (name, iterations) = (next()?, next()?);
    let mut bytes = || BASE64.decode(next()?).map_err(|_| DamagedKeys);
    let hash = ScramHash::ALL.into_iter().find(|hash| scheme(*hash) == name);
    let keys = ScramKeys {
        hash: hash.ok_or(DamagedKeys)?,
        iterations: iterations.parse().map_err(|_| DamagedKeys)?,
        salt: bytes()?,
        stored_key: bytes()?,
        server_key: bytes()?,
    };
    let length = keys.hash.output_len();
    let sound = keys.iterations > 0
        && !keys.salt.is_empty()
        && keys.stored_key.len() == length
        && keys.server_key.len() == length;
    if sound { Ok(keys) } else { Err(DamagedKeys) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_examples_of_the_rfcs() {
        // RFC 5802 section 5 and RFC 7677 section 3: the server's signature proves the server key.
        let cases = [
            (
                ScramHash::Sha1,
                "QSXCR+Q6sek8bf92",
                "n=user,r=fyko+d2lbbFgONRv9qkxdawL,\
                 r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096,\
                 c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j",
                hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY,
                "rmF9pqV8S7suAoZWja4dJRkFsKQ=",
            ),
            (
                ScramHash::Sha256,
                "W22ZaJ0SNY7soEsUEjb6gQ==",
                "n=user,r=rOprNGfwEbeRWgbNEkqO,\
                 r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,\
                 s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096,\
                 c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0",
                hmac::HMAC_SHA256,
                "6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=",
            ),
        ];
        for (hash, salt, messages, mac, signature) in cases {
            let keys = derive(hash, b"pencil", &BASE64.decode(salt).unwrap(), 4096);
            let key = hmac::Key::new(mac, &keys.server_key);
            assert_eq!(BASE64.encode(hmac::sign(&key, messages.as_bytes())), signature);
            assert!(matches(&keys, b"pencil"));
            assert!(!matches(&keys, b"pencils"));
        }
    }

    #[test]
    fn the_text_form_comes_back() {
        for hash in ScramHash::ALL {
            let keys = derive(hash, b"secret", b"0123456789abcdef", 4096);
            assert_eq!(parse(&to_text(&keys)), Ok(keys.clone()));
            assert!(!format!("{keys:?}").contains(&BASE64.encode(&keys.server_key)));
        }
        for damaged in ["", "SCRAM-SHA-1$", "SCRAM-SHA-1$4096:AAAA$AAAA:AAAA", "MD5$1:A$A:A"] {
            assert_eq!(parse(damaged), Err(DamagedKeys));
        }
    }
}
