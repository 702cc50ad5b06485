//! Fails a test whose modules fire events that they do not name in `#[module(fires = […])]`.

use std::sync::Arc;

use parking_lot::Mutex;

use crate::{
    events::info::EventInfo,
    module::{host_context::HostContext, info::ModuleInfo},
};

/// The undeclared events that modules have fired. The harness and its clients share the list and
/// panic if it is not empty: at their next call that checks it, or when they are dropped.
#[derive(Clone, Debug, Default)]
pub(super) struct Undeclared(Arc<Mutex<Vec<String>>>);

impl Undeclared {
    /// Watches the server of `host`.
    pub(super) fn watch(&self, host: &HostContext) {
        let list = Arc::clone(&self.0);
        if let Some(core) = host.core() {
            core.on_undeclared(move |module, event| list.lock().push(message(module, event)));
        }
    }

    /// Panics if a module has fired an event that it does not declare.
    #[expect(clippy::panic, reason = "the test fails")]
    pub(super) fn refuse(&self) {
        let list = std::mem::take(&mut *self.0.lock());
        if let Some(first) = list.first() {
            panic!("{first}");
        }
    }
}

impl Drop for Undeclared {
    fn drop(&mut self) {
        // A test that has failed already keeps its own message.
        if !std::thread::panicking() {
            self.refuse();
        }
    }
}

fn message(module: &ModuleInfo, event: &EventInfo) -> String {
    let all = module.fires.iter().copied().chain([event]).map(EventInfo::type_name);
    let all = all.collect::<Vec<_>>().join(", ");
    format!(
        "module `{}` fires `{}`, which its attribute does not name\n  help: write `fires = [{all}]` in its `#[module]` at {}",
        module.name,
        event.name,
        module.place(),
    )
}
