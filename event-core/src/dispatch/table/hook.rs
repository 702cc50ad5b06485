//! A handler in a table, and the order of handlers.

use std::sync::{Arc, LazyLock};

use tokio::sync::watch;

use crate::{
    dispatch::{
        chain::{Chain, Handler},
        hook::HookMeta,
        installer::Installed,
    },
    events::{
        self,
        traits::{Event, EventId, Payload},
    },
};

/// A handler in a table, with its module and the module's rank at equal priority.
pub(crate) struct Hook {
    pub(crate) module: &'static str,
    pub(crate) rank: usize,
    pub(crate) installed: Installed,
}

impl Hook {
    pub(crate) fn meta(&self) -> &'static HookMeta {
        self.installed.meta
    }

    /// The total order: priority, `/bare` before `/self`, the rank of the module, the source
    /// location.
    pub(crate) fn key(&self) -> impl Ord {
        let meta = self.installed.meta;
        let own = SELF.contains(&meta.event_id);
        // Hooks made by one macro invocation have the same line and column, but not the same path.
        let place = (meta.file, meta.line, meta.column, meta.function, meta.module_path);
        (std::cmp::Reverse(meta.priority), own, self.rank, place)
    }
}

/// The events whose handlers run in one chain with the handlers of `/bare`, after those of equal
/// priority.
pub(crate) static SELF: LazyLock<[EventId; 8]> = LazyLock::new(|| {
    [
        events::MessageSelf::id(),
        events::PresenceSelf::id(),
        events::IqSelf::id(),
        events::IqSelfPayload::id(),
        events::IqGetSelf::id(),
        events::IqSetSelf::id(),
        events::IqResultSelf::id(),
        events::IqErrorSelf::id(),
    ]
});

/// A field of each table that is dropped with the table, when the last dispatch on the table
/// has ended.
#[derive(Default)]
pub(crate) struct Life(pub(crate) watch::Sender<()>);

impl Life {
    /// Waits until the table is dropped.
    pub(crate) fn end(&self) -> impl Future<Output = ()> + Send + use<> {
        let mut table = self.0.subscribe();
        async move { while table.changed().await.is_ok() {} }
    }
}

pub(crate) fn chain<'a, P: Payload>(hooks: impl IntoIterator<Item = &'a Hook>) -> Chain<P> {
    let handlers = hooks.into_iter().filter_map(|hook| hook.installed.typed::<P>());
    Chain::new(handlers.collect::<Vec<Arc<Handler<P>>>>())
}
