//! The memory that all streams together may hold.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

/// Bytes are reserved in steps of this size. The first step of a stream is free, so that most
/// streams never change the shared counter.
const STEP: usize = 4096;

/// The bytes that all streams together may reserve.
#[derive(Debug)]
pub(super) struct Budget {
    most: AtomicUsize,
    used: AtomicUsize,
}

impl Budget {
    pub(super) fn new(most: usize) -> Self {
        Self { most: most.into(), used: AtomicUsize::new(0) }
    }

    /// Changes the limit.
    pub(super) fn set(&self, most: usize) {
        self.most.store(most, Ordering::Relaxed);
    }
}

/// The bytes that one stream has reserved.
#[derive(Debug)]
pub(super) struct BudgetShare {
    budget: Arc<Budget>,
    taken: usize,
}

impl BudgetShare {
    pub(super) fn of(budget: &Arc<Budget>) -> Self {
        Self { budget: Arc::clone(budget), taken: 0 }
    }

    /// Sets the reservation of this stream to `bytes`. Refused when the stream would hold more than
    /// remains free, so that the streams that hold most are refused first.
    pub(super) fn reserve(&mut self, bytes: usize) -> bool {
        let wanted = if bytes <= STEP { 0 } else { bytes.next_multiple_of(STEP) };
        let Budget { most, used } = &*self.budget;
        if wanted > self.taken {
            let more = wanted - self.taken;
            let before = used.fetch_add(more, Ordering::Relaxed);
            if before.saturating_add(wanted) > most.load(Ordering::Relaxed) {
                used.fetch_sub(more, Ordering::Relaxed);
                return false;
            }
        } else if wanted < self.taken {
            used.fetch_sub(self.taken - wanted, Ordering::Relaxed);
        }
        self.taken = wanted;
        true
    }
}

impl Drop for BudgetShare {
    fn drop(&mut self) {
        self.reserve(0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_has_most_is_refused_first() {
        let budget = Arc::new(Budget::new(10 * STEP));
        let [mut big, mut small, mut late] = [0; 3].map(|_| BudgetShare::of(&budget));
        assert!(big.reserve(4 * STEP) && small.reserve(2 * STEP));
        assert!(!big.reserve(6 * STEP), "the stream would hold more than remains free");
        assert!(small.reserve(3 * STEP) && late.reserve(STEP + 1));
        drop(big);
        assert!(small.reserve(4 * STEP));
        drop((small, late));
        assert_eq!(budget.used.load(Ordering::Relaxed), 0);
    }

    #[test]
    fn a_little_is_always_granted() {
        let budget = Arc::new(Budget::new(0));
        let mut share = BudgetShare::of(&budget);
        assert!(share.reserve(STEP) && !share.reserve(STEP + 1));
    }
}
