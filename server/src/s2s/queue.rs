//! The stanzas that wait for one domain, and those that are written but not confirmed.

use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
};

use event_core::{Stanza, StanzaKind, xml::Element};

use super::payer::{Held, Payer};

/// A payer's part of the queue is at most the whole divided by this.
const SHARES: usize = 4;

/// The limits of the stanzas that wait for one domain or are not confirmed.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bounds {
    pub(super) stanzas: usize,
    pub(super) bytes: usize,
}

/// Stanzas in the order they were sent. A stanza is first in `waiting` and then in `sent`, until it
/// is confirmed.
#[derive(Debug)]
pub(super) struct Queue {
    bounds: Bounds,
    waiting: VecDeque<Item>,
    /// Only the stanzas whose loss must be reported.
    sent: VecDeque<Item>,
    bytes: usize,
    /// The stanzas and bytes of each payer.
    shares: HashMap<Arc<Payer>, Share>,
    next: u64,
}

#[derive(Debug, Default, Clone, Copy)]
struct Share {
    stanzas: usize,
    bytes: usize,
}

#[derive(Debug)]
struct Item {
    number: u64,
    stanza: Stanza,
    is_missed: bool,
    /// Who pays for the stanza; `None` for a ping of this server.
    held: Option<Held>,
}

impl Item {
    fn size(&self) -> usize {
        self.stanza.element().as_bytes().len()
    }
}

impl Queue {
    pub(super) fn new(bounds: Bounds) -> Self {
        let (waiting, sent) = (VecDeque::new(), VecDeque::new());
        Self { bounds, waiting, sent, bytes: 0, shares: HashMap::new(), next: 1 }
    }

    /// Whether a payer may queue a stanza of this size. A payer without a stanza in the queue may
    /// add one as long as there is room.
    pub(super) fn has_room(&self, payer: &Arc<Payer>, size: usize) -> bool {
        let share = self.shares.get(payer).copied().unwrap_or_default();
        let is_first = share.stanzas == 0;
        let fits = |all: usize, own: usize, more: usize, most: usize| {
            all + more <= most && (is_first || is_fair(all, own + more, most))
        };
        fits(self.len(), share.stanzas, 1, self.bounds.stanzas)
            && fits(self.bytes, share.bytes, size, self.bounds.bytes)
    }

    /// Queues a stanza.
    pub(super) fn push(&mut self, stanza: &Stanza, held: Held) {
        self.add(stanza.clone(), is_missed(stanza), Some(held));
    }

    /// Queues a ping, whose loss is not reported. Returns its number.
    pub(super) fn ask(&mut self, stanza: Stanza) -> u64 {
        self.add(stanza, false, None)
    }

    /// Those whose stanzas wait or are not confirmed.
    pub(super) fn payers(&self) -> impl Iterator<Item = &Arc<Payer>> {
        self.shares.keys()
    }

    fn add(&mut self, stanza: Stanza, is_missed: bool, held: Option<Held>) -> u64 {
        let item = Item { number: self.next, stanza, is_missed, held };
        self.next += 1;
        self.bytes += item.size();
        if let Some(held) = &item.held {
            let share = self.shares.entry(Arc::clone(&held.payer)).or_default();
            share.stanzas += 1;
            share.bytes += item.size();
        }
        let number = item.number;
        self.waiting.push_back(item);
        number
    }

    /// The next stanza to write.
    pub(super) fn front(&self) -> Option<&Element> {
        self.waiting.front().map(|item| item.stanza.element())
    }

    /// Marks the next stanza as written.
    pub(super) fn mark_written(&mut self) {
        let Some(item) = self.waiting.pop_front() else { return };
        if item.is_missed {
            self.sent.push_back(item);
        } else {
            self.forget(&item);
        }
    }

    /// Subtracts an item that is no longer queued.
    fn forget(&mut self, item: &Item) {
        let size = item.size();
        self.bytes = self.bytes.saturating_sub(size);
        let Some(held) = &item.held else { return };
        if let Some(share) = self.shares.get_mut(&held.payer) {
            share.stanzas = share.stanzas.saturating_sub(1);
            share.bytes = share.bytes.saturating_sub(size);
            if share.stanzas == 0 {
                self.shares.remove(&held.payer);
            }
        }
    }

    /// Confirms all stanzas that were written before the ping with this number.
    pub(super) fn settle(&mut self, number: u64) {
        while let Some(item) = self.sent.pop_front_if(|item| item.number < number) {
            self.forget(&item);
        }
    }

    /// The number of stanzas that wait or are not confirmed.
    pub(super) fn len(&self) -> usize {
        self.waiting.len() + self.sent.len()
    }

    /// Whether every stanza has been written.
    pub(super) fn is_written(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Whether every written stanza is confirmed.
    pub(super) fn is_settled(&self) -> bool {
        self.sent.is_empty()
    }

    /// Whether the ping with this number still waits.
    pub(super) fn is_waiting(&self, number: u64) -> bool {
        self.waiting.front().is_some_and(|item| item.number <= number)
    }

    /// Takes out the stanzas that are written but not confirmed.
    pub(super) fn take_sent(&mut self) -> Vec<Stanza> {
        let taken = std::mem::take(&mut self.sent);
        self.release(taken)
    }

    /// Takes out all waiting stanzas.
    pub(super) fn take_waiting(&mut self) -> Vec<Stanza> {
        let taken = std::mem::take(&mut self.waiting);
        self.release(taken)
    }

    fn release(&mut self, items: VecDeque<Item>) -> Vec<Stanza> {
        items.iter().for_each(|item| self.forget(item));
        items.into_iter().map(|item| item.stanza).collect()
    }
}

/// Whether one may have `own` of `most`, of which `all` are used: nobody may have more than a quarter,
/// nor more than remains free for all others.
fn is_fair(all: usize, own: usize, most: usize) -> bool {
    own <= most / SHARES && all + own <= most
}

/// Whether the loss of a stanza must be reported. Presence is sent again, and errors and answers
/// are never answered.
fn is_missed(stanza: &Stanza) -> bool {
    let kind = stanza.type_();
    match stanza.kind() {
        StanzaKind::Message => kind.as_deref() != Some("error"),
        StanzaKind::Iq => matches!(kind.as_deref(), Some("get" | "set")),
        StanzaKind::Presence => {
            let kind = kind.as_deref().unwrap_or_default();
            matches!(kind, "subscribe" | "subscribed" | "unsubscribe" | "unsubscribed")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::is_fair;

    #[test]
    fn some_room_is_left_for_others() {
        let (mut all, mut shares) = (0, Vec::new());
        for _ in 0..10 {
            let mut own = 0;
            while is_fair(all, own + 1, 8000) {
                own += 1;
                all += 1;
            }
            shares.push(own);
        }
        assert_eq!(shares, [2000, 2000, 2000, 1000, 500, 250, 125, 63, 31, 16]);
    }
}
