//! The record of one sender's messages.

use std::collections::HashSet;
use std::sync::atomic::Ordering::Relaxed;

use crate::meter::Stats;

/// Numbers and times the messages of one sender, and counts lost, duplicated and reordered
/// messages.
pub(crate) struct Ledger {
    sent: u64,
    /// The next expected sequence number.
    high: u64,
    arrived: u64,
    missing: HashSet<u64>,
    times: Vec<u64>,
}

impl Ledger {
    pub(crate) fn new(window: usize) -> Self {
        let slots = (window * 4).next_power_of_two();
        Self { sent: 0, high: 0, arrived: 0, missing: HashSet::new(), times: vec![0; slots] }
    }

    pub(crate) fn send(&mut self, now: u64) -> u64 {
        let slot = self.sent as usize % self.times.len();
        self.times[slot] = now;
        self.sent += 1;
        self.sent - 1
    }

    pub(crate) fn arrive(&mut self, seq: u64, now: u64, stats: &Stats) {
        if seq < self.high {
            if !self.missing.remove(&seq) {
                stats.duplicated.fetch_add(1, Relaxed);
                return;
            }
            stats.disordered.fetch_add(1, Relaxed);
        } else {
            self.missing.extend(self.high..seq);
            self.high = seq + 1;
        }
        self.arrived += 1;
        stats.done(self.times[seq as usize % self.times.len()], now);
    }

    pub(crate) fn room(&self, window: usize) -> u64 {
        window as u64 - self.on_the_way().min(window as u64)
    }

    pub(crate) fn on_the_way(&self) -> u64 {
        self.sent - self.arrived
    }
}
