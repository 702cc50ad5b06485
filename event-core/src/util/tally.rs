//! Counters for many threads.

use std::{
    cell::Cell,
    sync::{
        LazyLock, OnceLock,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
};

/// The maximum number of copies of a counter.
const MOST: usize = 16;

/// Counters with one copy for each processor, so that threads do not write to the same cache line.
///
/// The memory is allocated by the first [`Tally::add`].
///
/// ```
/// use event_core::Tally;
///
/// let tally = Tally::new(2);
/// tally.add(0, 5);
/// tally.add(1, 1);
/// tally.add(0, 1);
/// assert_eq!((tally.sum(0), tally.sum(1)), (6, 1));
/// ```
#[derive(Debug)]
pub struct Tally {
    counters: usize,
    lines: OnceLock<Box<[Line]>>,
}

/// Counters of one copy. Aligned to 128 bytes, because processors fetch two cache lines of 64 bytes
/// together.
#[derive(Debug, Default)]
#[repr(align(128))]
struct Line([AtomicU64; IN_LINE]);

const IN_LINE: usize = 16;

/// The number of copies.
static COPIES: LazyLock<usize> = LazyLock::new(|| {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    threads.min(MOST)
});

thread_local! {
    static COPY: Cell<Option<usize>> = const { Cell::new(None) };
}

/// The index of this thread's copy. Threads get the indices in turn, at their first access.
#[inline]
fn copy() -> usize {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    COPY.get().unwrap_or_else(
        #[cold]
        || {
            let copy = NEXT.fetch_add(1, Ordering::Relaxed) % *COPIES;
            COPY.set(Some(copy));
            copy
        },
    )
}

impl Tally {
    /// Creates `counters` counters, numbered from 0.
    pub const fn new(counters: usize) -> Self {
        Self { counters, lines: OnceLock::new() }
    }

    /// Adds `amount` to a counter and returns the earlier value of this thread's copy. Does nothing
    /// and returns 0 for a counter that does not exist.
    #[inline]
    pub fn add(&self, counter: usize, amount: u64) -> u64 {
        if counter >= self.counters {
            return 0;
        }
        let lines = self.lines.get_or_init(|| self.new_lines());
        let line = lines.get(copy() * self.in_copy() + counter / IN_LINE);
        let place = line.and_then(|line| line.0.get(counter % IN_LINE));
        place.map_or(0, |place| place.fetch_add(amount, Ordering::Relaxed))
    }

    /// The value of a counter: the sum over all threads; 0 for a counter that does not exist.
    pub fn sum(&self, counter: usize) -> u64 {
        let lines = self.lines.get().map_or(&[][..], |lines| lines);
        let places = lines
            .chunks(self.in_copy().max(1))
            .filter_map(|copy| copy.get(counter / IN_LINE)?.0.get(counter % IN_LINE));
        places.map(|place| place.load(Ordering::Relaxed)).sum()
    }

    #[cold]
    fn new_lines(&self) -> Box<[Line]> {
        (0..self.in_copy() * *COPIES).map(|_| Line::default()).collect()
    }

    /// The number of lines of one copy.
    #[inline]
    fn in_copy(&self) -> usize {
        self.counters.div_ceil(IN_LINE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_lost_between_threads() {
        let tally = Tally::new(IN_LINE + 1);
        std::thread::scope(|scope| {
            for _ in 0..2 * MOST {
                scope.spawn(|| {
                    for _ in 0..100 {
                        tally.add(0, 1);
                        tally.add(IN_LINE, 2);
                    }
                });
            }
        });
        assert_eq!(tally.sum(0), 200 * MOST as u64);
        assert_eq!(tally.sum(IN_LINE), 400 * MOST as u64);
        assert_eq!(tally.sum(1), 0);
    }

    #[test]
    fn a_thread_is_told_what_it_counted() {
        let tally = Tally::new(1);
        assert_eq!([tally.add(0, 3), tally.add(0, 1), tally.add(0, 1)], [0, 3, 4]);
    }

    #[test]
    fn what_is_not_there_counts_nothing() {
        let tally = Tally::new(1);
        assert_eq!((tally.sum(0), tally.sum(1), tally.sum(1000)), (0, 0, 0));
        tally.add(1, 1);
        tally.add(1000, 1);
        assert_eq!((tally.sum(0), tally.sum(1), tally.sum(1000)), (0, 0, 0));
        assert_eq!((Tally::new(0).add(0, 1), Tally::new(0).sum(0)), (0, 0));
    }
}
