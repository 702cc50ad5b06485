//! The batches that wait for the writer, in turns of those who pay for them.

use std::collections::{HashMap, VecDeque, hash_map::Entry};

use event_core::cost::Payer;

use super::job::Job;

/// Waiting batches. Each payer has a queue, and the payers take turns, so that one with many or
/// large batches does not make others wait.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    queues: HashMap<Payer, VecDeque<Job>>,
    /// The payers that have a queue, the next one first.
    turns: VecDeque<Payer>,
    length: usize,
}

impl Waiting {
    pub(super) fn len(&self) -> usize {
        self.length
    }

    pub(super) fn push(&mut self, job: Job) {
        self.length += 1;
        match self.queues.entry(job.payer) {
            Entry::Occupied(mut queue) => queue.get_mut().push_back(job),
            Entry::Vacant(place) => {
                self.turns.push_back(job.payer);
                place.insert([job].into());
            }
        }
    }

    /// Takes the next batch, one of each payer in turn.
    fn pop(&mut self) -> Option<Job> {
        let payer = self.turns.pop_front()?;
        let Entry::Occupied(mut queue) = self.queues.entry(payer) else { return None };
        let job = queue.get_mut().pop_front()?;
        if queue.get().is_empty() {
            queue.remove();
        } else {
            self.turns.push_back(payer);
        }
        self.length -= 1;
        Some(job)
    }

    /// Takes at least one batch, if any waits: at most `count`, and none more after `bytes`.
    pub(super) fn take(&mut self, count: usize, bytes: usize) -> Vec<Job> {
        let mut group = Vec::new();
        let mut size = 0;
        while group.len() < count && size < bytes {
            let Some(job) = self.pop() else { break };
            size += job.size();
            group.push(job);
        }
        group
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::oneshot;

    use super::*;
    use crate::storage::{Partition, Write};

    fn job(payer: &str, key: &str, size: usize) -> Job {
        let write = Write::set(Partition::new("h", "s", "o"), key, vec![0; size]);
        Job { batch: vec![write], done: oneshot::channel().0, payer: Payer::account(payer) }
    }

    fn keys(group: Vec<Job>) -> Vec<String> {
        let key = |mut job: Job| match job.batch.pop() {
            Some(Write::Set(name, _)) => name.key,
            other => panic!("{other:?}"),
        };
        group.into_iter().map(key).collect()
    }

    #[test]
    fn payers_take_turns_and_keep_their_order() {
        let mut waiting = Waiting::default();
        for key in ["a1", "a2", "a3", "a4"] {
            waiting.push(job("1", key, 0));
        }
        waiting.push(job("2", "b1", 0));
        waiting.push(job("2", "b2", 0));
        waiting.push(job("3", "c1", 0));
        assert_eq!(waiting.len(), 7);
        assert_eq!(keys(waiting.take(4, 100)), ["a1", "b1", "c1", "a2"]);
        waiting.push(job("3", "c2", 0));
        assert_eq!(keys(waiting.take(9, 100)), ["b2", "a3", "c2", "a4"]);
        assert_eq!((waiting.len(), waiting.take(9, 100).len()), (0, 0));
        assert!(waiting.queues.is_empty() && waiting.turns.is_empty());
    }

    #[test]
    fn a_group_has_a_size() {
        let mut waiting = Waiting::default();
        for key in ["a1", "a2", "a3"] {
            waiting.push(job("1", key, 100));
        }
        waiting.push(job("2", "b1", 1));
        assert_eq!(keys(waiting.take(9, 101)), ["a1", "b1"]);
        assert_eq!(keys(waiting.take(9, 100)), ["a2"]);
    }
}
