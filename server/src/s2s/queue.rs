//! The stanzas that wait for one domain, and those that are written but not confirmed.

use std::collections::VecDeque;

use event_core::{Stanza, StanzaKind, xml::Element};

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
    next: u64,
}

#[derive(Debug)]
struct Item {
    number: u64,
    stanza: Stanza,
    is_missed: bool,
}

impl Item {
    fn size(&self) -> usize {
        self.stanza.element().as_bytes().len()
    }
}

impl Queue {
    pub(super) fn new(bounds: Bounds) -> Self {
        let (waiting, sent) = (VecDeque::new(), VecDeque::new());
        Self { bounds, waiting, sent, bytes: 0, next: 1 }
    }

    /// Queues a stanza. Returns false if the queue is full.
    pub(super) fn push(&mut self, stanza: &Stanza) -> bool {
        let size = stanza.element().as_bytes().len();
        if self.len() >= self.bounds.stanzas || self.bytes + size > self.bounds.bytes {
            return false;
        }
        self.add(stanza.clone(), is_missed(stanza));
        true
    }

    /// Queues a ping, whose loss is not reported. Returns its number.
    pub(super) fn ask(&mut self, stanza: Stanza) -> u64 {
        self.add(stanza, false)
    }

    fn add(&mut self, stanza: Stanza, is_missed: bool) -> u64 {
        let item = Item { number: self.next, stanza, is_missed };
        self.next += 1;
        self.bytes += item.size();
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
            self.bytes = self.bytes.saturating_sub(item.size());
        }
    }

    /// Confirms all stanzas that were written before the ping with this number.
    pub(super) fn settle(&mut self, number: u64) {
        while self.sent.front().is_some_and(|item| item.number < number) {
            let item = self.sent.pop_front();
            self.bytes = self.bytes.saturating_sub(item.map_or(0, |item| item.size()));
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
        self.bytes = self.bytes.saturating_sub(items.iter().map(Item::size).sum());
        items.into_iter().map(|item| item.stanza).collect()
    }
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
