//! What the handlers of an element cost beyond the element itself: copies of stanzas, and data read
//! from and written to storage. The account or stream that sent the element pays.
//!
//! Counted for each thread, because the handlers of an element run while their stream is polled.
//! Tasks that handlers spawn are not counted.

use std::{cell::Cell, hash::BuildHasher, sync::LazyLock};

use hashbrown::DefaultHashBuilder;

/// What one call of storage counts, in stanzas.
const STORAGE_CALL: usize = 4;

/// The cost of handlers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cost {
    /// The work, as the number of stanzas that would take about as long.
    pub stanzas: u32,
    /// The bytes of values read from and written to storage.
    pub bytes: u32,
}

/// Who pays: an account, or a stream without an account. Two may rarely be the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Payer(u64);

impl Payer {
    /// An account, by its bare JID.
    pub fn account(jid: &str) -> Self {
        static HASHER: LazyLock<DefaultHashBuilder> = LazyLock::new(DefaultHashBuilder::default);
        Self(HASHER.hash_one(jid))
    }

    /// A stream, by the id of its session.
    pub fn stream(id: u64) -> Self {
        Self(id)
    }
}

thread_local! {
    static COST: Cell<Cost> = const { Cell::new(Cost { stanzas: 0, bytes: 0 }) };
    static PAYER: Cell<Option<Payer>> = const { Cell::new(None) };
}

/// Runs `work` for `payer`. Returns the result and what it cost.
#[inline]
pub fn measure<R>(payer: Payer, work: impl FnOnce() -> R) -> (R, Cost) {
    COST.set(Cost::default());
    PAYER.set(Some(payer));
    let result = work();
    PAYER.set(None);
    (result, COST.take())
}

/// Who pays for the work that this thread does now; `None` outside of [`measure`].
pub fn payer() -> Option<Payer> {
    PAYER.get()
}

/// Counts copies of a stanza.
pub(crate) fn add_copies(count: usize) {
    add(count, 0);
}

/// Counts a read of storage that returned `bytes`.
pub(crate) fn add_read(bytes: usize) {
    add(STORAGE_CALL, bytes);
}

/// Counts writes of values with `bytes` together.
pub(crate) fn add_writes(count: usize, bytes: usize) {
    add(count.saturating_mul(STORAGE_CALL), bytes);
}

fn add(stanzas: usize, bytes: usize) {
    let [stanzas, bytes] = [stanzas, bytes].map(|number| u32::try_from(number).unwrap_or(u32::MAX));
    let cost = COST.get();
    COST.set(Cost {
        stanzas: cost.stanzas.saturating_add(stanzas),
        bytes: cost.bytes.saturating_add(bytes),
    });
}
