//! Counters of storage, for the metrics.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, Instant},
};

/// The counters of storage since the server's start.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct StorageStats {
    /// The number of completed reads.
    pub reads: u64,
    /// The total time of reads.
    pub read_time: Duration,
    /// The number of completed transactions.
    pub writes: u64,
    /// The total time of transactions, including the time in the queue.
    pub write_time: Duration,
    /// The number of transactions that are queued or being written now.
    pub queued: u64,
}

/// Counts reads and transactions for [`Storage::stats`](super::Storage::stats). Threads can share
/// the value.
#[derive(Debug, Default)]
pub struct Meter {
    reads: AtomicU64,
    read_nanos: AtomicU64,
    writes: AtomicU64,
    write_nanos: AtomicU64,
    queued: AtomicU64,
}

impl Meter {
    /// Counts a read.
    pub async fn read<T>(&self, read: impl Future<Output = T>) -> T {
        let start = Instant::now();
        let output = read.await;
        add(&self.reads, &self.read_nanos, start);
        output
    }

    /// Counts a transaction. Until its future completes or is dropped, the transaction is queued.
    pub async fn write<T>(&self, write: impl Future<Output = T>) -> T {
        struct Queued<'a>(&'a AtomicU64);
        impl Drop for Queued<'_> {
            fn drop(&mut self) {
                self.0.fetch_sub(1, Ordering::Relaxed);
            }
        }

        let start = Instant::now();
        self.queued.fetch_add(1, Ordering::Relaxed);
        let queued = Queued(&self.queued);
        let output = write.await;
        drop(queued);
        add(&self.writes, &self.write_nanos, start);
        output
    }

    /// The counts so far.
    pub fn stats(&self) -> StorageStats {
        let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        StorageStats {
            reads: count(&self.reads),
            read_time: Duration::from_nanos(count(&self.read_nanos)),
            writes: count(&self.writes),
            write_time: Duration::from_nanos(count(&self.write_nanos)),
            queued: count(&self.queued),
        }
    }
}

fn add(count: &AtomicU64, nanos: &AtomicU64, start: Instant) {
    // A `u64` has room for 584 years in nanoseconds.
    let took = u64::try_from(start.elapsed().as_nanos()).unwrap_or(u64::MAX);
    nanos.fetch_add(took, Ordering::Relaxed);
    count.fetch_add(1, Ordering::Relaxed);
}
