//! SCRAM-SHA-1 (RFC 5802), the client's side. What takes the time, deriving keys from a password,
//! is done once for each salt: the rig must not drown the server that it measures.

use std::collections::HashMap;
use std::sync::Mutex;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use hmac::{Hmac, Mac};
use pbkdf2::pbkdf2_hmac_array;
use sha1::{Digest, Sha1};

/// The keys of passwords seen before, by password, salt and iterations.
#[derive(Default)]
pub(crate) struct KeyCache(Mutex<HashMap<(String, String, u32), Keys>>);

#[derive(Clone, Copy)]
struct Keys {
    client: [u8; 20],
    server: [u8; 20],
}

/// What the client says last, and what the server has to answer then.
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
        let salt = BASE64.decode(salt).ok()?;
        let salted = pbkdf2_hmac_array::<Sha1, 20>(password.as_bytes(), &salt, iterations);
        let keys =
            Keys { client: hmac(&salted, b"Client Key"), server: hmac(&salted, b"Server Key") };
        self.0.lock().unwrap().insert(key, keys);
        Some(keys)
    }

    /// Answers the server's first message; none if that is no such message.
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

fn hmac(key: &[u8], message: &[u8]) -> [u8; 20] {
    let mut mac = Hmac::<Sha1>::new_from_slice(key).expect("HMAC takes keys of any length");
    mac.update(message);
    mac.finalize().into_bytes().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_of_the_rfc() {
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
}
