//! What may wait on all streams together.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

/// Bytes that every stream may keep beside, and the step in which more are taken: streams in order
/// need no more, and have nothing to do with each other.
const STEP: usize = 4096;

/// Bytes for all streams.
#[derive(Debug)]
pub(super) struct Budget {
    most: AtomicUsize,
    used: AtomicUsize,
}

impl Budget {
    pub(super) fn new(most: usize) -> Self {
        Self { most: most.into(), used: AtomicUsize::new(0) }
    }

    /// From now on there are so many.
    pub(super) fn set(&self, most: usize) {
        self.most.store(most, Ordering::Relaxed);
    }
}

/// What one stream has of the budget.
#[derive(Debug)]
pub(super) struct Share {
    budget: Arc<Budget>,
    taken: usize,
}

impl Share {
    pub(super) fn of(budget: &Arc<Budget>) -> Self {
        Self { budget: Arc::clone(budget), taken: 0 }
    }

    /// So many bytes wait now. False if they may not: nobody may have more than is left for all
    /// others, so those who have most are refused first.
    pub(super) fn hold(&mut self, bytes: usize) -> bool {
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

impl Drop for Share {
    fn drop(&mut self) {
        self.hold(0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_has_most_is_refused_first() {
        let budget = Arc::new(Budget::new(10 * STEP));
        let [mut big, mut small, mut late] = [0; 3].map(|_| Share::of(&budget));
        assert!(big.hold(4 * STEP) && small.hold(2 * STEP));
        assert!(!big.hold(6 * STEP), "it would have more than is left");
        assert!(small.hold(3 * STEP) && late.hold(STEP + 1));
        drop(big);
        assert!(small.hold(4 * STEP));
        drop((small, late));
        assert_eq!(budget.used.load(Ordering::Relaxed), 0);
    }

    #[test]
    fn a_little_is_always_granted() {
        let budget = Arc::new(Budget::new(0));
        let mut share = Share::of(&budget);
        assert!(share.hold(STEP) && !share.hold(STEP + 1));
    }
}
