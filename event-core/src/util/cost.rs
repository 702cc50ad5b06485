//! What the handlers of an element cost beyond the element itself: copies of stanzas, and data read
//! from and written to storage. The stream that sent the element pays.
//!
//! Counted for each thread, because the handlers of an element run while their stream is polled.
//! Tasks that handlers spawn are not counted.

use std::cell::Cell;

use crate::storage::Write;

/// What one call of storage counts, in stanzas.
const STORAGE_CALL: u32 = 4;

/// The cost of handlers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cost {
    /// The work, as the number of stanzas that would take about as long.
    pub stanzas: u32,
    /// The bytes of values read from and written to storage.
    pub bytes: u32,
}

thread_local! {
    static COST: Cell<Cost> = const { Cell::new(Cost { stanzas: 0, bytes: 0 }) };
}

/// Returns the result of `work` and what it cost.
pub fn measure<R>(work: impl FnOnce() -> R) -> (R, Cost) {
    COST.set(Cost::default());
    let result = work();
    (result, COST.take())
}

/// Counts copies of a stanza.
pub(crate) fn add_copies(count: usize) {
    add(count, 0);
}

/// Counts a read of storage that returned `bytes`.
pub(crate) fn add_read(bytes: usize) {
    add(STORAGE_CALL as usize, bytes);
}

/// Counts a transaction.
pub(crate) fn add_writes(batch: &[Write]) {
    add(batch.len() * STORAGE_CALL as usize, batch.iter().map(Write::size).sum());
}

fn add(stanzas: usize, bytes: usize) {
    let [stanzas, bytes] = [stanzas, bytes].map(|number| u32::try_from(number).unwrap_or(u32::MAX));
    let cost = COST.get();
    COST.set(Cost {
        stanzas: cost.stanzas.saturating_add(stanzas),
        bytes: cost.bytes.saturating_add(bytes),
    });
}
