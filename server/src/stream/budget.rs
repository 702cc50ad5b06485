//! The memory that all streams together may hold.
//!
//! There are two pools: one for established streams, and one for strangers, which are streams
//! without a bound resource or a proved domain. So strangers cannot take what sessions need.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use parking_lot::Mutex;

use crate::config::Limits;

/// Bytes are reserved in steps of this size. The first step of a share is free, so that most
/// streams never change a shared counter.
const STEP: usize = 4096;

/// The bytes that an established stream may always hold, because they are outside of the pool.
pub(super) const CERTAIN: usize = 64 * 1024;

/// The bytes that all streams together may reserve.
#[derive(Debug)]
pub(super) struct Budget {
    strangers: Pool,
    established: Pool,
}

#[derive(Debug)]
struct Pool {
    most: AtomicUsize,
    used: AtomicUsize,
}

impl Budget {
    pub(super) fn new(limits: &Limits) -> Self {
        Self {
            strangers: Pool::new(limits.unauthenticated_waiting_bytes),
            established: Pool::new(limits.waiting_bytes),
        }
    }

    /// Changes the limits.
    pub(super) fn set(&self, limits: &Limits) {
        self.strangers.most.store(limits.unauthenticated_waiting_bytes, Ordering::Relaxed);
        self.established.most.store(limits.waiting_bytes, Ordering::Relaxed);
    }
}

impl Pool {
    fn new(most: usize) -> Self {
        Self { most: most.into(), used: AtomicUsize::new(0) }
    }

    /// Changes what one stream has taken to `wanted`. Refused when the stream would hold more than
    /// remains free, so that the streams that hold most are refused first.
    fn change(&self, taken: usize, wanted: usize) -> bool {
        if wanted > taken {
            let more = wanted - taken;
            let before = self.used.fetch_add(more, Ordering::Relaxed);
            if before.saturating_add(wanted) > self.most.load(Ordering::Relaxed) {
                self.used.fetch_sub(more, Ordering::Relaxed);
                return false;
            }
        } else if wanted < taken {
            self.used.fetch_sub(taken - wanted, Ordering::Relaxed);
        }
        true
    }
}

/// What one stream holds.
#[derive(Debug)]
struct Holding {
    budget: Arc<Budget>,
    held: Mutex<Held>,
}

#[derive(Debug, Default)]
struct Held {
    /// The reserved bytes of all shares.
    reserved: usize,
    /// Those of them that are taken from the pool.
    taken: usize,
    is_established: bool,
}

/// The bytes that one stream has reserved in one direction.
#[derive(Debug)]
pub(super) struct BudgetShare {
    holding: Arc<Holding>,
    reserved: usize,
}

impl BudgetShare {
    /// A share of a new stream, which is a stranger.
    pub(super) fn of(budget: &Arc<Budget>) -> Self {
        let holding = Holding { budget: Arc::clone(budget), held: Mutex::default() };
        Self { holding: Arc::new(holding), reserved: 0 }
    }

    /// Another share of the same stream.
    pub(super) fn other(&self) -> Self {
        Self { holding: Arc::clone(&self.holding), reserved: 0 }
    }

    /// Sets the reservation of this share to `bytes`. A smaller reservation is never refused.
    pub(super) fn reserve(&mut self, bytes: usize) -> bool {
        let wanted = if bytes <= STEP { 0 } else { bytes.next_multiple_of(STEP) };
        if wanted == self.reserved {
            return true;
        }
        let Holding { budget, held } = &*self.holding;
        let mut held = held.lock();
        let reserved = held.reserved - self.reserved + wanted;
        let (pool, from_pool) = match held.is_established {
            false => (&budget.strangers, reserved),
            true => (&budget.established, reserved.saturating_sub(CERTAIN)),
        };
        if !pool.change(held.taken, from_pool) {
            return false;
        }
        (held.reserved, held.taken) = (reserved, from_pool);
        self.reserved = wanted;
        true
    }

    /// Moves the stream from the strangers to the established streams. Its bytes move too, even
    /// if the pool is full.
    pub(super) fn establish(&self) {
        let Holding { budget, held } = &*self.holding;
        let mut held = held.lock();
        if !held.is_established {
            budget.strangers.change(held.taken, 0);
            held.taken = held.reserved.saturating_sub(CERTAIN);
            budget.established.used.fetch_add(held.taken, Ordering::Relaxed);
            held.is_established = true;
        }
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

    fn budget(strangers: usize, established: usize) -> Arc<Budget> {
        Arc::new(Budget::new(&Limits {
            unauthenticated_waiting_bytes: strangers,
            waiting_bytes: established,
            ..Limits::default()
        }))
    }

    fn used(budget: &Budget) -> (usize, usize) {
        let used = |pool: &Pool| pool.used.load(Ordering::Relaxed);
        (used(&budget.strangers), used(&budget.established))
    }

    #[test]
    fn who_has_most_is_refused_first() {
        let budget = budget(10 * STEP, 0);
        let [mut big, mut small, mut late] = [0; 3].map(|_| BudgetShare::of(&budget));
        assert!(big.reserve(4 * STEP) && small.reserve(2 * STEP));
        assert!(!big.reserve(6 * STEP), "the stream would hold more than remains free");
        assert!(small.reserve(3 * STEP) && late.reserve(STEP + 1));
        drop(big);
        assert!(small.reserve(4 * STEP));
        drop((small, late));
        assert_eq!(used(&budget), (0, 0));
    }

    #[test]
    fn a_little_is_always_granted() {
        let budget = budget(0, 0);
        let mut share = BudgetShare::of(&budget);
        assert!(share.reserve(STEP) && !share.reserve(STEP + 1));
    }

    #[test]
    fn strangers_take_nothing_from_sessions() {
        let budget = budget(10 * STEP, 10 * STEP);
        let mut strangers: Vec<_> = (0..100).map(|_| BudgetShare::of(&budget)).collect();
        let granted = strangers.iter_mut().filter_map(|one| one.reserve(2 * STEP).then_some(()));
        assert_eq!(granted.count(), 5);
        let mut session = BudgetShare::of(&budget);
        session.establish();
        assert!(session.reserve(CERTAIN + 10 * STEP));
    }

    #[test]
    fn a_session_is_certain_of_its_bytes_in_both_directions_together() {
        let budget = budget(4 * STEP, 0);
        let mut read = BudgetShare::of(&budget);
        assert!(read.reserve(2 * STEP));
        read.establish();
        assert_eq!(used(&budget), (0, 0));
        let mut written = read.other();
        assert!(written.reserve(CERTAIN - 2 * STEP));
        assert!(!read.reserve(3 * STEP) && !written.reserve(CERTAIN - STEP));
        assert!(read.reserve(0) && written.reserve(CERTAIN));
    }

    #[test]
    fn what_a_stranger_holds_moves_with_it() {
        let budget = budget(CERTAIN * 4, STEP);
        let mut read = BudgetShare::of(&budget);
        assert!(read.reserve(CERTAIN + 2 * STEP));
        read.establish();
        read.establish();
        assert_eq!(used(&budget), (0, 2 * STEP));
        assert!(read.reserve(CERTAIN + STEP), "a smaller reservation is not refused");
        drop(read);
        assert_eq!(used(&budget), (0, 0));
    }
}
