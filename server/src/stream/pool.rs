//! Buffers that exist only while there are bytes: each thread keeps a few to hand out again.

use std::cell::RefCell;

/// What is read at a time; also the longest TLS record.
pub(super) const READ: usize = 16 * 1024;

/// Buffers a thread keeps that are good for reading.
const KEPT: usize = 8;

/// A queue of bytes begins with so much, and grows when it must.
const QUEUE: usize = 1024;

/// Buffers a thread keeps that are good for a queue: a presence has as many on their way as
/// somebody has contacts, and the allocator is slow where one thread takes what another gives back.
const KEPT_QUEUES: usize = 256;

thread_local! {
    static POOL: RefCell<Pool> = const { RefCell::new(Pool { reads: Vec::new(), queues: Vec::new() }) };
}

struct Pool {
    reads: Vec<Vec<u8>>,
    queues: Vec<Vec<u8>>,
}

/// An empty buffer to read into; one that has room already, if this thread has one.
pub(super) fn take() -> Vec<u8> {
    POOL.try_with(|pool| pool.borrow_mut().reads.pop()).ok().flatten().unwrap_or_default()
}

/// An empty buffer for what waits, with room for a stanza.
pub(super) fn take_queue() -> Vec<u8> {
    let pooled = POOL.try_with(|pool| {
        let mut pool = pool.borrow_mut();
        pool.queues.pop().or_else(|| pool.reads.pop())
    });
    pooled.ok().flatten().unwrap_or_default()
}

/// Takes a buffer back. What has grown beyond the usual is given to the system instead.
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
