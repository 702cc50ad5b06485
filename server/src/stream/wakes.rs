//! Wakes the receivers of stanzas when the poll of the sender's task ends. So all stanzas of one
//! read go out in one write, and a receiver of many stanzas is woken once.

use std::{cell::RefCell, marker::PhantomData, mem, task::Waker};

/// The maximum number of gathered wakers.
const MOST: usize = 1024;

thread_local! {
    static GATHERED: RefCell<Gathered> =
        const { RefCell::new(Gathered { is_batch: false, wakers: Vec::new() }) };
}

struct Gathered {
    is_batch: bool,
    wakers: Vec<Waker>,
}

/// While this exists, [`wake`] gathers wakers instead of waking tasks.
#[must_use]
pub(super) struct WakeBatch {
    /// Not `Send`, because the batch belongs to its thread.
    here: PhantomData<*const ()>,
}

impl WakeBatch {
    pub(super) fn begin() -> Self {
        let _ = GATHERED.try_with(|gathered| gathered.borrow_mut().is_batch = true);
        Self { here: PhantomData }
    }
}

impl Drop for WakeBatch {
    fn drop(&mut self) {
        let _ = GATHERED.try_with(|gathered| {
            gathered.borrow_mut().is_batch = false;
            release(gathered);
        });
    }
}

/// Wakes a task, at the end of the batch if there is one.
pub(super) fn wake(waker: &Waker) {
    let gathered = GATHERED.try_with(|gathered| {
        if !gathered.borrow().is_batch {
            return false;
        }
        if gathered.borrow().wakers.len() == MOST {
            release(gathered);
        }
        gathered.borrow_mut().wakers.push(waker.clone());
        true
    });
    if gathered != Ok(true) {
        waker.wake_by_ref();
    }
}

/// Wakes the gathered tasks. Meanwhile the cell is not borrowed, because waking may call [`wake`].
fn release(gathered: &RefCell<Gathered>) {
    let mut wakers = mem::take(&mut gathered.borrow_mut().wakers);
    wakers.drain(..).for_each(Waker::wake);
    gathered.borrow_mut().wakers = wakers;
}

#[cfg(test)]
mod tests {
    use std::{
        sync::{
            Arc,
            atomic::{AtomicUsize, Ordering},
        },
        task::Wake,
    };

    use super::*;

    #[derive(Default)]
    struct Count(AtomicUsize);

    impl Wake for Count {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    #[test]
    fn wakes_at_the_end_of_a_turn_and_without_one_at_once() {
        let count = Arc::new(Count::default());
        let waker = Waker::from(Arc::clone(&count));
        let woken = || count.0.load(Ordering::Relaxed);
        wake(&waker);
        assert_eq!(woken(), 1);
        let batch = WakeBatch::begin();
        (0..MOST).for_each(|_| wake(&waker));
        assert_eq!(woken(), 1);
        wake(&waker);
        assert_eq!(woken(), 1 + MOST, "a full batch is released");
        drop(batch);
        assert_eq!(woken(), 2 + MOST);
        wake(&waker);
        assert_eq!(woken(), 3 + MOST);
    }

    #[test]
    fn a_turn_that_panics_wakes_all_the_same() {
        let count = Arc::new(Count::default());
        let waker = Waker::from(Arc::clone(&count));
        let batch = std::panic::catch_unwind(|| {
            let _batch = WakeBatch::begin();
            wake(&waker);
            panic!("on purpose");
        });
        assert!(batch.is_err());
        assert_eq!(count.0.load(Ordering::Relaxed), 1);
    }
}
