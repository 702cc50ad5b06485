//! What a reload changed.

use std::{fmt, sync::Arc, time::Duration};

use tokio::{
    sync::oneshot,
    time::{Instant, timeout_at},
};

use crate::host::host::Host;

/// Something that a reload changed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Change {
    /// The host.
    pub host: Box<str>,
    /// What became of it.
    pub kind: ChangeKind,
}

/// What a reload did to a host.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ChangeKind {
    /// It is served now.
    HostAdded,
    /// It is served no longer.
    HostRemoved,
    /// Some of its settings differ: which.
    Settings(Vec<&'static str>),
    /// A module runs on it now.
    ModuleEnabled(&'static str),
    /// A module runs on it no longer.
    ModuleDisabled(&'static str),
    /// A module has other options.
    ModuleOptions(&'static str),
    /// Its modules have another order.
    ModuleOrder,
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let host = &self.host;
        match &self.kind {
            ChangeKind::HostAdded => write!(f, "host {host} added"),
            ChangeKind::HostRemoved => write!(f, "host {host} removed"),
            ChangeKind::Settings(keys) => write!(f, "host {host}: {} changed", keys.join(", ")),
            ChangeKind::ModuleEnabled(name) => write!(f, "host {host}: module {name} enabled"),
            ChangeKind::ModuleDisabled(name) => write!(f, "host {host}: module {name} disabled"),
            ChangeKind::ModuleOptions(name) => {
                write!(f, "host {host}: options of module {name} changed")
            }
            ChangeKind::ModuleOrder => write!(f, "host {host}: order of modules changed"),
        }
    }
}

/// What a reload came to. All of it holds already; what was taken away is still ending.
#[derive(Debug)]
pub struct Reloaded {
    /// What differs, in the order of the hosts.
    pub changes: Vec<Change>,
    /// The hosts that were removed: their streams are to be closed with `host-gone`.
    pub removed: Vec<Arc<Host>>,
    pub(crate) endings: Vec<oneshot::Receiver<()>>,
}

impl Reloaded {
    /// Waits until the modules that were taken away have stopped, at most for `limit`; `false`
    /// when handlers of theirs still run then. They stop when those have ended.
    pub async fn ended(self, limit: Duration) -> bool {
        let deadline = Instant::now() + limit;
        for ending in self.endings {
            if timeout_at(deadline, ending).await.is_err() {
                return false;
            }
        }
        true
    }
}
