//! Runs the cryptography of TLS handshakes, which anybody can ask for, outside of the threads that
//! serve streams.
//!
//! A handshake takes as much time as hundreds of stanzas. At most half of the processors work on
//! handshakes, and addresses take turns, so that a flood delays itself only.

use std::{
    collections::{HashMap, VecDeque},
    fmt,
    net::IpAddr,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

use event_core::rate::subscriber;
use parking_lot::Mutex;
use tokio::sync::oneshot;

type Job = Box<dyn FnOnce() + Send>;

/// See the [module](self).
#[derive(Default)]
pub(super) struct Handshakes(Mutex<Queue>);

/// The jobs that wait, by address.
#[derive(Default)]
struct Queue {
    waiting: HashMap<IpAddr, VecDeque<Job>>,
    /// The addresses with jobs, in the order of their turns.
    turns: VecDeque<IpAddr>,
    /// The threads that take jobs.
    threads: usize,
}

impl Handshakes {
    /// Runs `work` for a peer at `address`. `None` if it panicked. `work` is not run if the future
    /// is dropped before its turn.
    pub(super) async fn run<T: Send + 'static>(
        self: &Arc<Self>,
        address: IpAddr,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Option<T> {
        let (tell, told) = oneshot::channel();
        let job = Box::new(move || {
            if !tell.is_closed() {
                let _ = tell.send(work());
            }
        });
        if self.0.lock().push(subscriber(address), job) {
            let this = Arc::clone(self);
            tokio::task::spawn_blocking(move || this.work());
        }
        told.await.ok()
    }

    /// Runs jobs until none waits.
    fn work(&self) {
        loop {
            let mut queue = self.0.lock();
            let Some(job) = queue.pop() else {
                queue.threads -= 1;
                return;
            };
            drop(queue);
            if catch_unwind(AssertUnwindSafe(job)).is_err() {
                tracing::error!("a TLS handshake panicked; only its connection ends");
            }
        }
    }
}

impl Queue {
    /// Appends a job. Whether a thread has to be added, which is counted already.
    fn push(&mut self, address: IpAddr, job: Job) -> bool {
        let jobs = self.waiting.entry(address).or_default();
        if jobs.is_empty() {
            self.turns.push_back(address);
        }
        jobs.push_back(job);
        let is_missing = self.threads < most_threads();
        self.threads += usize::from(is_missing);
        is_missing
    }

    /// The next job of the address whose turn it is.
    fn pop(&mut self) -> Option<Job> {
        let address = self.turns.pop_front()?;
        let jobs = self.waiting.get_mut(&address)?;
        let job = jobs.pop_front();
        match jobs.is_empty() {
            true => drop(self.waiting.remove(&address)),
            false => self.turns.push_back(address),
        }
        job
    }
}

fn most_threads() -> usize {
    std::thread::available_parallelism().map_or(1, |processors| processors.get().div_ceil(2))
}

impl fmt::Debug for Handshakes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handshakes").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    #[test]
    fn addresses_take_turns() {
        let mut queue = Queue::default();
        let (tell, told) = mpsc::channel();
        for (address, number) in [(1, 1), (1, 2), (1, 3), (2, 4), (3, 5), (2, 6)] {
            let tell = tell.clone();
            queue.push([127, 0, 0, address].into(), Box::new(move || tell.send(number).unwrap()));
        }
        assert_eq!(queue.threads, most_threads());
        while let Some(job) = queue.pop() {
            job();
        }
        assert_eq!(told.try_iter().collect::<Vec<_>>(), [1, 4, 5, 2, 6, 3]);
        assert!(queue.waiting.is_empty() && queue.turns.is_empty());
    }

    #[tokio::test]
    async fn a_panic_ends_one_job_only() {
        let handshakes = Arc::new(Handshakes::default());
        let here = IpAddr::from([127, 0, 0, 1]);
        assert_eq!(handshakes.run(here, || -> u8 { panic!("on purpose") }).await, None);
        assert_eq!(handshakes.run(here, || 1).await, Some(1));
    }
}
