//! What waits for the writer.

use event_core::cost::{self, Payer};
use tokio::sync::oneshot;

use super::{StorageResult, Write};

/// A batch, and the sender for its result.
#[derive(Debug)]
pub(super) struct Job {
    pub(super) batch: Vec<Write>,
    pub(super) done: oneshot::Sender<StorageResult<bool>>,
    /// The one for whom the batch is written.
    pub(super) payer: Payer,
}

impl Job {
    /// Makes a job for the payer of the current work or, outside of any, for the owner of the data.
    pub(super) fn new(batch: Vec<Write>, done: oneshot::Sender<StorageResult<bool>>) -> Self {
        let payer = cost::payer().unwrap_or_else(|| {
            let (host, owner) = batch.first().map(Write::owner).unwrap_or_default();
            Payer::account(&format!("{owner}@{host}"))
        });
        Self { batch, done, payer }
    }

    /// The length of all values, in bytes.
    pub(super) fn size(&self) -> usize {
        self.batch.iter().map(Write::size).sum()
    }
}
