//! What a host is to be after a reload.

use std::sync::Arc;

use crate::{
    host::{host::Host, settings::HostSettings},
    runtime::{reload::change::Change, started::Started},
};

/// What a host is to be.
pub(crate) struct Plan {
    pub(crate) host: Arc<Host>,
    pub(crate) is_new: bool,
    pub(crate) settings: HostSettings,
    pub(crate) modules: Vec<Arc<Started>>,
    /// Old and new, of those whose options differ.
    pub(crate) renewed: Vec<(Arc<Started>, Arc<Started>)>,
    /// Modules that run no longer.
    pub(crate) ended: Vec<Arc<Started>>,
    pub(crate) changes: Vec<Change>,
}
