//! Keys for accounts that do not exist.
//!
//! The keys look like those of stored accounts: the number of iterations and the length of the salt
//! have the same shares as in a sample of the host's accounts, because accounts keep those with
//! which their password was set.

use std::collections::BinaryHeap;

use event_core::services::{ScramHash, ScramKeys};
use ring::hmac;

use super::record::{self, ACCOUNTS, CHECKED_HASH, KEY};
use crate::storage::{Partition, Storage, StorageError};

/// The number of accounts in a sample: shares are right to about 1.5 %.
const SAMPLE: usize = 1000;

/// The number of accounts whose names are read for a sample.
const MAX_NAMES: usize = 100_000;

const PAGE: u32 = 1000;

/// What the keys of an account show to everybody.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Shape {
    pub(super) iterations: u32,
    pub(super) salt_length: usize,
}

/// The shapes of a sample of accounts, in order.
#[derive(Debug)]
pub(super) struct Shapes(Vec<Shape>);

impl Shapes {
    /// The shapes of a host's accounts, from the first login after the start on. Known and unknown
    /// accounts wait for the sample alike.
    pub(super) async fn sample(
        storage: &dyn Storage,
        secret: &[u8],
        host: &str,
    ) -> Result<Self, StorageError> {
        // The sample has the accounts whose names have the lowest hashes, so that it changes little
        // when accounts are added and removed.
        let mut sample = BinaryHeap::with_capacity(SAMPLE + 1);
        let (mut names, mut after) = (0, None::<String>);
        while names < MAX_NAMES {
            let page = storage.owners(host, ACCOUNTS.store, after.as_deref(), PAGE).await?;
            let Some(last) = page.last() else { break };
            (names, after) = (names + page.len(), Some(last.clone()));
            for name in page {
                sample.push((number(secret, "sample", host, &name), name));
                if sample.len() > SAMPLE {
                    sample.pop();
                }
            }
        }
        let mut shapes = Vec::with_capacity(sample.len());
        for (_, name) in sample {
            let stored = storage.get(Partition::new(host, ACCOUNTS.store, &name), KEY).await?;
            if let Some(keys) = stored.and_then(|record| record::find(&record, CHECKED_HASH)) {
                let (iterations, salt_length) = (keys.iterations, keys.salt.len());
                shapes.push(Shape { iterations, salt_length });
            }
        }
        shapes.sort_unstable();
        Ok(Self(shapes))
    }

    /// The shape of an account that does not exist; the same for all its keys. `None` if the host
    /// had no accounts.
    pub(super) fn draw(&self, secret: &[u8], host: &str, name: &str) -> Option<Shape> {
        let number = u128::from(number(secret, "shape", host, name));
        let place = (number * self.0.len() as u128) >> u64::BITS;
        self.0.get(usize::try_from(place).ok()?).copied()
    }
}

/// Makes keys of a shape. One name always has the same keys.
pub(super) fn make(
    secret: &[u8],
    host: &str,
    name: &str,
    hash: ScramHash,
    shape: Shape,
) -> ScramKeys {
    let bytes = |purpose: &str, length: usize| {
        let blocks = (0_u32..)
            .flat_map(|block| sign(secret, &[purpose, &format!("{hash:?} {block}"), host, name]));
        blocks.take(length).collect()
    };
    ScramKeys {
        hash,
        iterations: shape.iterations,
        salt: bytes("salt", shape.salt_length),
        stored_key: bytes("stored key", hash.output_len()),
        server_key: bytes("server key", hash.output_len()),
    }
}

/// A number that is evenly distributed over names.
fn number(secret: &[u8], purpose: &str, host: &str, name: &str) -> u64 {
    let bytes = sign(secret, &[purpose, host, name]);
    bytes.into_iter().take(8).fold(0, |number, byte| (number << 8) | u64::from(byte))
}

fn sign(secret: &[u8], parts: &[&str]) -> Vec<u8> {
    let key = hmac::Key::new(hmac::HMAC_SHA512, secret);
    hmac::sign(&key, parts.join("\0").as_bytes()).as_ref().to_vec()
}
