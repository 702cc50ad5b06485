//! Who may use how much of a queue, so that no sender takes all of it.

use std::{
    collections::HashMap,
    hash::{BuildHasher, RandomState},
    mem,
    time::{Duration, Instant},
};

use event_core::xml::Element;

/// The state of a queue of which more than a share is used, that has refused a stanza, or beside
/// which messages are kept apart. Most queues have none.
#[derive(Debug, Default)]
pub(super) struct Strain {
    pub(super) shares: Shares,
    /// The time of the first refusal since the kernel had taken as many bytes as given here.
    refused: Option<(Instant, u64)>,
    /// The messages that are kept apart.
    pub(super) held: Option<Held>,
    /// What was queued when the stream was ended because of its queue.
    pub(super) left: Vec<u8>,
}

impl Strain {
    /// Notes a refusal, with the number of bytes that the kernel has ever taken. Returns whether it
    /// has taken none for `limit`.
    pub(super) fn is_stuck(&mut self, written: u64, limit: Duration) -> bool {
        match self.refused {
            Some((since, known)) if known == written => since.elapsed() >= limit,
            _ => {
                self.refused = Some((Instant::now(), written));
                false
            }
        }
    }
}

/// Messages that are kept apart until a client has got its stored messages.
#[derive(Debug, Default)]
pub(super) struct Held {
    pub(super) bytes: Vec<u8>,
    pub(super) elements: u32,
    shares: Shares,
}

impl Held {
    /// The maximum size of all messages.
    const MAX_BYTES: usize = 64 * 1024;

    /// Adds a message. False if there is no room for it, or was none for an earlier message of the
    /// sender, so that the sender's messages keep their order.
    pub(super) fn push(&mut self, message: &Element, own: Option<&str>) -> bool {
        let bytes = message.as_bytes();
        let is_full = self.bytes.len() + bytes.len() > Self::MAX_BYTES;
        // Without a share, nothing is admitted.
        let share = if is_full { 0 } else { Self::MAX_BYTES / 4 };
        if !self.shares.admit(message, own, share) {
            self.shares.exhaust(message);
            return false;
        }
        self.bytes.extend_from_slice(bytes);
        self.elements += 1;
        true
    }
}

/// The bytes of each sender, by a hash of the address.
#[derive(Debug, Default)]
pub(super) struct Shares {
    hasher: RandomState,
    queued: HashMap<u64, u32>,
    /// The bytes that the task has taken last.
    in_flight: HashMap<u64, u32>,
}

impl Shares {
    /// Counts a stanza for its sender and, unless it is `own`, for the sender's domain. False, and
    /// nothing is counted, if the sender held more than `share` bytes then, or the domain twice as
    /// many.
    pub(super) fn admit(&mut self, stanza: &Element, own: Option<&str>, share: usize) -> bool {
        let from = stanza.attribute("from").unwrap_or_default();
        let account = account(&from);
        let domain = account.split_once('@').map_or(account, |(_, domain)| domain);
        let bytes = stanza.as_bytes().len();
        let parties = [
            Some((self.hasher.hash_one((false, account)), share)),
            (own != Some(domain)).then(|| (self.hasher.hash_one((true, domain)), 2 * share)),
        ];
        let parties = parties.iter().flatten();
        if parties.clone().any(|(party, share)| self.of(*party) + bytes > *share) {
            return false;
        }
        let bytes = u32::try_from(bytes).unwrap_or(u32::MAX);
        for (party, _) in parties {
            let queued = self.queued.entry(*party).or_default();
            *queued = queued.saturating_add(bytes);
        }
        true
    }

    /// Admits no more stanzas of a sender until what is queued is taken.
    fn exhaust(&mut self, stanza: &Element) {
        let from = stanza.attribute("from").unwrap_or_default();
        self.queued.insert(self.hasher.hash_one((false, account(&from))), u32::MAX);
    }

    fn of(&self, party: u64) -> usize {
        let of =
            |bytes: &HashMap<u64, u32>| bytes.get(&party).copied().unwrap_or_default() as usize;
        of(&self.queued) + of(&self.in_flight)
    }

    /// Notes that the task has taken the whole queue, after it has written what it took before.
    pub(super) fn take(&mut self) {
        self.in_flight = mem::take(&mut self.queued);
    }
}

/// An address without its resource.
fn account(jid: &str) -> &str {
    jid.split_once('/').map_or(jid, |(account, _)| account)
}
