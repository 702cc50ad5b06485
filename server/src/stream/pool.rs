//! Buffers that exist only while they hold bytes. Each thread keeps a few for reuse.

use std::cell::RefCell;

/// The size of one read, and of the longest TLS record.
pub(super) const READ: usize = 16 * 1024;

/// The number of read buffers that a thread keeps.
const KEPT: usize = 8;

/// The initial size of a queue.
const QUEUE: usize = 1024;

/// The number of queue buffers that a thread keeps. A presence needs one for each contact, and the
/// allocator is slow when one thread frees the memory of another.
const KEPT_QUEUES: usize = 256;

thread_local! {
    static POOL: RefCell<Pool> = const { RefCell::new(Pool { reads: Vec::new(), queues: Vec::new() }) };
}

struct Pool {
    reads: Vec<Vec<u8>>,
    queues: Vec<Vec<u8>>,
}

/// An empty buffer to read into, with capacity if this thread keeps one.
pub(super) fn take() -> Vec<u8> {
    POOL.try_with(|pool| pool.borrow_mut().reads.pop()).ok().flatten().unwrap_or_default()
}

/// An empty buffer for a queue, with capacity if this thread keeps one.
pub(super) fn take_queue() -> Vec<u8> {
    let pooled = POOL.try_with(|pool| {
        let mut pool = pool.borrow_mut();
        pool.queues.pop().or_else(|| pool.reads.pop())
    });
    pooled.ok().flatten().unwrap_or_default()
}

/// Takes a buffer back. A buffer that is too small or too large is freed.
pub(super) fn give(buffer: &mut Vec<u8>) {
    let mut buffer = std::mem::take(buffer);
    let capacity = buffer.capacity();
    if !(QUEUE..=2 * READ).contains(&capacity) {
        return;
    }
    buffer.clear();
    let _ = POOL.try_with(|pool| {
        let Pool { reads, queues } = &mut *pool.borrow_mut();
        if capacity < READ / 4 {
            if queues.len() < KEPT_QUEUES {
                queues.push(buffer);
            }
        } else if reads.len() < KEPT {
            reads.push(buffer);
        }
    });
}
