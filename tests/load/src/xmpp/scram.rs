//! SCRAM-SHA-1 (RFC 5802). Keys are derived once for each password and salt, so that the rig does
//! not take CPU time from the server that it measures.

use std::collections::HashMap;
use std::sync::Mutex;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use hmac::{Hmac, Mac};
use pbkdf2::pbkdf2_hmac_array;
use sha1::{Digest, Sha1};

/// The keys that were derived, by password, salt and iterations.
#[derive(Default)]
pub(crate) struct KeyCache(Mutex<HashMap<(String, String, u32), Keys>>);

#[derive(Clone, Copy)]
struct Keys {
    client: [u8; 20],
    server: [u8; 20],
}

/// The client's final message, and the expected answer of the server.
pub(crate) struct Final {
    pub(crate) message: String,
    pub(crate) answer: String,
}

impl KeyCache {
    fn keys(&self, password: &str, salt: &str, iterations: u32) -> Option<Keys> {
        let key = (password.to_owned(), salt.to_owned(), iterations);
        if let Some(known) = self.0.lock().unwrap().get(&key) {
            return Some(*known);
        }
        let keys = Keys::new(password, &BASE64.decode(salt).ok()?, iterations);
        self.0.lock().unwrap().insert(key, keys);
        Some(keys)
    }

    /// Answers the server's first message. `None` if that message is malformed.
    pub(crate) fn answer(
        &self,
        password: &str,
        client_first: &str,
        server_first: &str,
    ) -> Option<Final> {
        let mut fields = server_first.split(',');
        let nonce = fields.next()?.strip_prefix("r=")?;
        let salt = fields.next()?.strip_prefix("s=")?;
        let iterations = fields.next()?.strip_prefix("i=")?.parse().ok()?;
        let keys = self.keys(password, salt, iterations)?;
        let bare = format!("c=biws,r={nonce}");
        let signed = format!("{client_first},{server_first},{bare}");
        let mut proof = hmac(&Sha1::digest(keys.client), signed.as_bytes());
        proof.iter_mut().zip(keys.client).for_each(|(proof, key)| *proof ^= key);
        Some(Final {
            message: format!("{bare},p={}", BASE64.encode(proof)),
            answer: format!("v={}", BASE64.encode(hmac(&keys.server, signed.as_bytes()))),
        })
    }
}

impl Keys {
    fn new(password: &str, salt: &[u8], iterations: u32) -> Self {
        let salted = pbkdf2_hmac_array::<Sha1, 20>(password.as_bytes(), salt, iterations);
        Self { client: hmac(&salted, b"Client Key"), server: hmac(&salted, b"Server Key") }
    }
}

/// The server's side, with one password for all accounts.
pub(crate) struct Verifier {
    iterations: u32,
    stored: [u8; 20],
    server: [u8; 20],
}

const SALT: &[u8] = b"the salt of all";

impl Verifier {
    pub(crate) fn new(password: &str, iterations: u32) -> Self {
        let keys = Keys::new(password, SALT, iterations);
        Self { iterations, stored: Sha1::digest(keys.client).into(), server: keys.server }
    }

    /// The part of the client's first message that is signed, and the answer to that message.
    pub(crate) fn first<'m>(&self, message: &'m str) -> Option<(&'m str, String)> {
        let bare = message.strip_prefix("n,,")?;
        let (_, nonce) = bare.split_once(",r=")?;
        Some((bare, format!("r={nonce}.bare,s={},i={}", BASE64.encode(SALT), self.iterations)))
    }

    /// The answer to the client's final message; `None` if its proof is wrong.
    pub(crate) fn last(&self, first: &str, challenge: &str, message: &str) -> Option<String> {
        let (bare, proof) = message.rsplit_once(",p=")?;
        let signed = format!("{first},{challenge},{bare}");
        let mut key = hmac(&self.stored, signed.as_bytes());
        key.iter_mut().zip(BASE64.decode(proof).ok()?).for_each(|(key, proof)| *key ^= proof);
        let is_known = Sha1::digest(key).as_slice() == self.stored;
        is_known.then(|| format!("v={}", BASE64.encode(hmac(&self.server, signed.as_bytes()))))
    }
}

fn hmac(key: &[u8], message: &[u8]) -> [u8; 20] {
    let mut mac = Hmac::<Sha1>::new_from_slice(key).expect("HMAC refused a key");
    mac.update(message);
    mac.finalize().into_bytes().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_exchange_matches_the_example_of_rfc_5802() {
        let cache = KeyCache::default();
        for _ in 0..2 {
            let last = cache.answer(
                "pencil",
                "n=user,r=fyko+d2lbbFgONRv9qkxdawL",
                "r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096",
            );
            let last = last.unwrap();
            assert_eq!(
                last.message,
                "c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,\
                 p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts="
            );
            assert_eq!(last.answer, "v=rmF9pqV8S7suAoZWja4dJRkFsKQ=");
        }
        assert!(cache.answer("pencil", "n=user,r=a", "e=other-error").is_none());
    }

    #[test]
    fn both_sides_agree_only_with_the_same_password() {
        let verifier = Verifier::new("pencil", 10);
        let (first, challenge) = verifier.first("n,,n=user,r=a").unwrap();
        let cache = KeyCache::default();
        let told = cache.answer("pencil", first, &challenge).unwrap();
        assert_eq!(verifier.last(first, &challenge, &told.message), Some(told.answer));
        let wrong = cache.answer("pen", first, &challenge).unwrap();
        assert_eq!(verifier.last(first, &challenge, &wrong.message), None);
    }
}
