//! A counting allocator, for tests that check that code does not allocate, or keeps little.

use std::{
    alloc::{GlobalAlloc, Layout, System},
    cell::Cell,
    sync::atomic::{AtomicIsize, Ordering},
};

/// The system's allocator. Counts the allocations of each thread, and the bytes that are allocated.
#[derive(Debug)]
pub struct Counting;

thread_local! {
    static COUNT: Cell<u64> = const { Cell::new(0) };
    static IS_LEFT_OUT: Cell<bool> = const { Cell::new(false) };
}

static BYTES: AtomicIsize = AtomicIsize::new(0);

/// The number of allocations of `work` on this thread.
pub fn allocations<T>(work: impl FnOnce() -> T) -> (T, u64) {
    let before = COUNT.get();
    let output = work();
    (output, COUNT.get() - before)
}

/// The bytes that are allocated now, by all threads that are not left out.
pub fn allocated_bytes() -> isize {
    BYTES.load(Ordering::Relaxed)
}

/// Leaves this thread out of [`allocated_bytes`]. It must free its memory itself.
pub fn leave_out_this_thread() {
    IS_LEFT_OUT.set(true);
}

fn count(new: usize, old: usize) {
    // A thread may still allocate after its counters have been destroyed.
    if new > old {
        let _ = COUNT.try_with(|count| count.set(count.get() + 1));
    }
    if IS_LEFT_OUT.try_with(Cell::get) != Ok(true) {
        BYTES.fetch_add(new as isize - old as isize, Ordering::Relaxed);
    }
}

// SAFETY: every call is passed to `System` with the same arguments, and the result of `System` is
// returned. The counters are constant-initialised, which does not allocate.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size(), 0);
        // SAFETY: the caller upholds the contract, which is the same for `System`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count(layout.size(), 0);
        // SAFETY: as above.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count(size, layout.size());
        // SAFETY: as above; `pointer` came from `System`, as all pointers of this allocator do.
        unsafe { System.realloc(pointer, layout, size) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        count(0, layout.size());
        // SAFETY: as above.
        unsafe { System.dealloc(pointer, layout) }
    }
}
