//! The outbox of a turn: the stanzas that handlers send until the outermost chain has ended.

use std::{
    cell::RefCell,
    collections::VecDeque,
    mem,
    pin::Pin,
    task::{Context, Poll},
    vec,
};

use jid::Jid;
use pin_project_lite::pin_project;

use crate::{
    protocol::stanza::Stanza,
    routing::{outgoing::Outgoing, server_core::Core},
    util::cost,
};

thread_local! {
    /// The outbox of the turn that this thread polls; `None` outside of any turn.
    static OUTBOX: RefCell<Option<Outbox>> = const { RefCell::new(None) };
}

/// The depth to which the events and queries of handlers may be nested. Without this limit, an
/// endless recursion would overflow the stack.
const MAX_DEPTH: u32 = 32;

tokio::task_local! {
    static DEPTH: u32;
}

/// Runs `task`, which a handler awaits, one level deeper. Returns `None` beyond [`MAX_DEPTH`].
pub(crate) async fn run_nested<F: Future>(task: F) -> Option<F::Output> {
    let depth = DEPTH.try_with(|depth| *depth).unwrap_or(0);
    if depth >= MAX_DEPTH {
        return None;
    }
    Some(DEPTH.scope(depth + 1, task).await)
}

pin_project! {
    /// A task with an outbox of its own. Each element that a stream reads needs one, so this type
    /// is cheaper than a task-local of tokio.
    pub(crate) struct WithOutbox<F> {
        outbox: Option<Outbox>,
        #[pin]
        task: F,
    }
}

/// Runs `task` with an outbox of its own.
#[inline]
pub(crate) fn with_outbox<F: Future>(task: F) -> WithOutbox<F> {
    WithOutbox { outbox: Some(Outbox::default()), task }
}

/// Sets the thread's outbox for one poll. The drop restores the previous outbox, after a panic too.
struct Swapped<'a>(&'a mut Option<Outbox>);

impl<'a> Swapped<'a> {
    fn new(outbox: &'a mut Option<Outbox>) -> Self {
        OUTBOX.with_borrow_mut(|current| mem::swap(current, outbox));
        Self(outbox)
    }
}

impl Drop for Swapped<'_> {
    fn drop(&mut self) {
        OUTBOX.with_borrow_mut(|current| mem::swap(current, self.0));
    }
}

impl<F: Future> Future for WithOutbox<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        let _swapped = Swapped::new(this.outbox);
        this.task.poll(cx)
    }
}

/// Calls `access` with the outbox of the current turn. Returns `None` outside of any turn.
fn with_current<R>(access: impl FnOnce(&mut Outbox) -> R) -> Option<R> {
    let access = |current: &RefCell<Option<Outbox>>| current.borrow_mut().as_mut().map(access);
    OUTBOX.try_with(access).ok().flatten()
}

/// Puts `outgoing` into the outbox of the current turn or, outside of any turn, into the queue of
/// the background task.
pub(crate) fn enqueue(core: &Core, outgoing: Outgoing) {
    let mut outgoing = Some(outgoing);
    let in_turn = with_current(|outbox| {
        outgoing.take().into_iter().for_each(|outgoing| outbox.push(outgoing));
    });
    if in_turn.is_none()
        && let Some(outgoing) = outgoing
        && core.background().try_send(outgoing).is_err()
    {
        tracing::error!(
            "too many stanzas sent outside of a turn wait to be routed; one was dropped"
        );
    }
}

/// Puts copies of a stanza into the outbox of the current turn as one entry. Outside of any turn,
/// each copy is an entry of the background task's queue, which is bounded.
pub(crate) fn enqueue_copies(core: &Core, copies: Copies) {
    let mut copies = Some(copies);
    let in_turn = with_current(|outbox| {
        copies.take().into_iter().for_each(|copies| {
            cost::add_copies(copies.to.len());
            outbox.push_copies(copies);
        });
    });
    if in_turn.is_none() {
        copies.into_iter().flatten().for_each(|copy| enqueue(core, Outgoing::Route(copy)));
    }
}

/// Takes the first entry of the current turn's outbox.
pub(crate) fn take_next() -> Option<Outgoing> {
    with_current(Outbox::pop).flatten()
}

/// Whether the current turn's outbox has entries.
pub(crate) fn has_entries() -> bool {
    with_current(|outbox| !outbox.is_empty()) == Some(true)
}

/// Drops all entries of the current turn's outbox.
pub(crate) fn clear() {
    // The entries are dropped when the borrow has ended.
    drop(with_current(mem::take));
}

/// Whether `is_match` holds for an entry of the current turn's outbox. Copies are not checked.
pub(crate) fn any_single_entry(is_match: impl FnMut(&Outgoing) -> bool) -> bool {
    with_current(|outbox| outbox.singles().any(is_match)) == Some(true)
}

/// The entries of a turn's outbox, in the order they were sent.
#[derive(Debug, Default)]
struct Outbox(VecDeque<Entry>);

#[derive(Debug)]
enum Entry {
    Single(Outgoing),
    /// The copies of a stanza, for at least one recipient.
    Copies(Box<Copies>),
}

impl Outbox {
    fn push(&mut self, outgoing: Outgoing) {
        self.0.push_back(Entry::Single(outgoing));
    }

    fn push_copies(&mut self, copies: Copies) {
        if copies.to.len() > 0 {
            self.0.push_back(Entry::Copies(Box::new(copies)));
        }
    }

    /// Takes the first stanza. Copies are made one at a time.
    fn pop(&mut self) -> Option<Outgoing> {
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

    /// The entries that are not copies.
    fn singles(&self) -> impl Iterator<Item = &Outgoing> {
        self.0.iter().filter_map(|entry| match entry {
            Entry::Single(outgoing) => Some(outgoing),
            Entry::Copies(_) => None,
        })
    }

    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// A stanza to many recipients. Each copy is made just before it is routed, because thousands of
/// copies do not fit into the processor's caches.
#[derive(Debug)]
pub(crate) struct Copies {
    pub(crate) stanza: Stanza,
    pub(crate) to: vec::IntoIter<Jid>,
}

impl Copies {
    pub(crate) fn new(stanza: Stanza, to: Vec<Jid>) -> Self {
        Self { stanza: stanza.share_sender(), to: to.into_iter() }
    }
}

impl Iterator for Copies {
    type Item = Stanza;

    fn next(&mut self) -> Option<Stanza> {
        self.to.next().map(|to| self.stanza.addressed_to(to))
    }
}
