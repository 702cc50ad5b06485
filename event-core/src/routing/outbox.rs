use std::{cell::RefCell, collections::VecDeque, future::Future, vec};

use jid::Jid;
use xmpp_xml::Element;

use crate::{protocol::stanza::Stanza, routing::core::Core, session::session::Session};

/// Stanzas that one turn may cause; more is a loop of handlers that answer each other.
pub(crate) const MAX_TURN: usize = 100_000;

/// Stanzas sent outside any turn that may wait to be routed.
pub(crate) const MAX_BACKGROUND: usize = 65_536;

/// Something to do when the outermost chain has ended.
#[derive(Debug)]
pub(crate) enum Outgoing {
    Route(Stanza),
    Deliver(Session, Element),
}

tokio::task_local! {
    pub(crate) static OUTBOX: RefCell<Outbox>;
}

/// How deep handlers may fire events and send queries within one another; deeper is a loop that
/// would end in the stack.
pub(crate) const MAX_DEPTH: u32 = 32;

tokio::task_local! {
    static DEPTH: u32;
}

/// Runs what a handler waits for one level deeper; `None` when that is too deep.
pub(crate) async fn deeper<F: Future>(task: F) -> Option<F::Output> {
    let depth = DEPTH.try_with(|depth| *depth).unwrap_or(0);
    if depth >= MAX_DEPTH {
        return None;
    }
    Some(DEPTH.scope(depth + 1, task).await)
}

/// Runs a task whose dispatches share an outbox: a stream's, or the background's.
pub fn turns<F: Future>(task: F) -> impl Future<Output = F::Output> {
    OUTBOX.scope(RefCell::default(), task)
}

/// Puts `outgoing` into the outbox of the turn that runs, or else on the background's queue.
pub(crate) fn post(core: &Core, outgoing: Outgoing) {
    let mut outgoing = Some(outgoing);
    let in_turn = OUTBOX.try_with(|outbox| {
        outgoing.take().into_iter().for_each(|outgoing| outbox.borrow_mut().push(outgoing));
    });
    if in_turn.is_err()
        && let Some(outgoing) = outgoing
        && core.background().try_send(outgoing).is_err()
    {
        tracing::error!("too many stanzas wait to be sent; one was dropped");
    }
}

/// See the [module](self).
#[derive(Debug, Default)]
pub(crate) struct Outbox(pub(crate) VecDeque<Entry>);

#[derive(Debug)]
pub(crate) enum Entry {
    Single(Outgoing),
    /// At least one.
    Copies(Box<Copies>),
}

impl Outbox {
    pub(crate) fn push(&mut self, outgoing: Outgoing) {
        self.0.push_back(Entry::Single(outgoing));
    }

    pub(crate) fn push_copies(&mut self, copies: Copies) {
        if copies.to.len() > 0 {
            self.0.push_back(Entry::Copies(Box::new(copies)));
        }
    }

    /// Takes what is first.
    pub(crate) fn pop(&mut self) -> Option<Outgoing> {
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
    pub(crate) fn singles(&self) -> impl Iterator<Item = &Outgoing> {
        self.0.iter().filter_map(|entry| match entry {
            Entry::Single(outgoing) => Some(outgoing),
            Entry::Copies(_) => None,
        })
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }
}

/// A stanza to many, each of which is made when its turn comes: thousands that wait would have
/// left the processor's caches by then.
#[derive(Debug)]
pub(crate) struct Copies {
    pub(crate) stanza: Stanza,
    pub(crate) to: vec::IntoIter<Jid>,
}

impl Copies {
    pub(crate) fn new(stanza: Stanza, to: Vec<Jid>) -> Self {
        Self { stanza: stanza.shared(), to: to.into_iter() }
    }
}

impl Iterator for Copies {
    type Item = Stanza;

    fn next(&mut self) -> Option<Stanza> {
        self.to.next().map(|to| self.stanza.addressed_to(to))
    }
}
