//! What waits until the outermost chain of a turn has ended.

use std::{collections::VecDeque, vec};

use jid::Jid;

use super::Outgoing;
use crate::stanza::Stanza;

/// See the [module](self).
#[derive(Debug, Default)]
pub(super) struct Outbox(VecDeque<Entry>);

#[derive(Debug)]
enum Entry {
    Single(Outgoing),
    /// At least one.
    Copies(Box<Copies>),
}

impl Outbox {
    pub(super) fn push(&mut self, outgoing: Outgoing) {
        self.0.push_back(Entry::Single(outgoing));
    }

    pub(super) fn push_copies(&mut self, copies: Copies) {
        if copies.to.len() > 0 {
            self.0.push_back(Entry::Copies(Box::new(copies)));
        }
    }

    /// Takes what is first.
    pub(super) fn pop(&mut self) -> Option<Outgoing> {
        if let Entry::Copies(copies) = self.0.front_mut()?
            && copies.to.len() > 1
        {
            return copies.next().map(Outgoing::Route);
        }
        match self.0.pop_front()? {
            Entry::Single(outgoing) => Some(outgoing),
            Entry::Copies(mut copies) => copies.next().map(Outgoing::Route),
        }
    }

    /// What is no copy of many.
    pub(super) fn singles(&self) -> impl Iterator<Item = &Outgoing> {
        self.0.iter().filter_map(|entry| match entry {
            Entry::Single(outgoing) => Some(outgoing),
            Entry::Copies(_) => None,
        })
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }
}

/// A stanza to many, each of which is made when its turn comes: thousands that wait would have
/// left the processor's caches by then.
#[derive(Debug)]
pub(super) struct Copies {
    stanza: Stanza,
    to: vec::IntoIter<Jid>,
}

impl Copies {
    pub(super) fn new(stanza: Stanza, to: Vec<Jid>) -> Self {
        Self { stanza: stanza.shared(), to: to.into_iter() }
    }
}

impl Iterator for Copies {
    type Item = Stanza;

    fn next(&mut self) -> Option<Stanza> {
        self.to.next().map(|to| self.stanza.addressed_to(to))
    }
}
