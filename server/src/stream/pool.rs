//! Buffers that exist only while there are bytes: each thread keeps a few to hand out again.

use std::cell::RefCell;

/// What is read at a time; also the longest TLS record.
pub(super) const READ: usize = 16 * 1024;

/// Buffers a thread keeps.
const KEPT: usize = 8;

thread_local! {
    static POOL: RefCell<Vec<Vec<u8>>> = const { RefCell::new(Vec::new()) };
}

/// An empty buffer; one that has room already, if this thread has one.
pub(super) fn take() -> Vec<u8> {
    POOL.try_with(|pool| pool.borrow_mut().pop()).ok().flatten().unwrap_or_default()
}

/// Takes a buffer back. What has grown beyond the usual is given to the system instead.
pub(super) fn give(buffer: &mut Vec<u8>) {
    let mut buffer = std::mem::take(buffer);
    if buffer.capacity() < READ / 4 || buffer.capacity() > 2 * READ {
        return;
    }
    buffer.clear();
    let _ = POOL.try_with(|pool| {
        let mut pool = pool.borrow_mut();
        if pool.len() < KEPT {
            pool.push(buffer);
        }
    });
}
