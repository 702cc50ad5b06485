//! The tasks of a module on a host.

use std::future::Future;

use parking_lot::Mutex;
use tokio::task::JoinSet;

/// The tasks of a module on a host. Dropping the value aborts the tasks.
#[derive(Debug, Default)]
pub(crate) struct Tasks(pub(crate) Mutex<JoinSet<()>>);

impl Tasks {
    /// Spawns a task and drops the tasks that have ended.
    pub(crate) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        let mut tasks = self.0.lock();
        while tasks.try_join_next().is_some() {}
        tasks.spawn(task);
    }

    /// Aborts all tasks.
    pub(crate) fn stop(&self) {
        self.0.lock().abort_all();
    }
}
