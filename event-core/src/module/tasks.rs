//! The tasks of a module on a host.

use std::future::Future;

use parking_lot::Mutex;
use tokio::task::JoinSet;

/// The tasks of a module on a host; they end with it.
#[derive(Debug, Default)]
pub(crate) struct Tasks(pub(crate) Mutex<JoinSet<()>>);

impl Tasks {
    pub(crate) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        let mut tasks = self.0.lock();
        while tasks.try_join_next().is_some() {}
        tasks.spawn(task);
    }

    pub(crate) fn stop(&self) {
        self.0.lock().abort_all();
    }
}
