//! The changes that a reload made.

use std::{fmt, sync::Arc, time::Duration};

use tokio::{
    sync::oneshot,
    time::{Instant, timeout_at},
};

use crate::host::host::Host;

/// One change that a reload made.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Change {
    /// The host.
    pub host: Box<str>,
    /// The kind of the change.
    pub kind: ChangeKind,
}

/// The kind of a change to a host.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ChangeKind {
    /// The host is served now.
    HostAdded,
    /// The host is no longer served.
    HostRemoved,
    /// These settings of the host changed.
    Settings(Vec<&'static str>),
    /// The module runs on the host now.
    ModuleEnabled(&'static str),
    /// The module no longer runs on the host.
    ModuleDisabled(&'static str),
    /// The options of the module changed.
    ModuleOptions(&'static str),
    /// The order of the host's modules changed.
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

/// The result of a reload. All changes are in force; removed modules may still be stopping.
#[derive(Debug)]
pub struct Reloaded {
    /// The changes, in the order of the hosts.
    pub changes: Vec<Change>,
    /// The hosts that were removed. The caller closes their streams with `host-gone`.
    pub removed: Vec<Arc<Host>>,
    /// One receiver for each task that stops modules.
    pub(crate) endings: Vec<oneshot::Receiver<()>>,
}

impl Reloaded {
    /// Waits until the removed modules have stopped, at most for `limit`. Returns `false` if
    /// handlers of these modules still run; each module stops once its handlers have ended.
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
