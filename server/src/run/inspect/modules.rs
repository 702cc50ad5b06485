//! Checks that the modules start, on a storage in memory that keeps nothing, and that their handlers can
//! run.

use std::sync::Arc;

use event_core::{HostConfig, Registry, Runtime, StartError, storage::Storage};

use super::{
    findings::{Findings, Subject},
    hooks,
};
use crate::{
    accounts::AccountStore,
    config::Config,
    run::hosts::{located, services},
    storage::Rehearsal,
};

/// Starts the modules of all hosts, which open their stores.
pub(super) async fn rehearse(
    config: &Config,
    registry: &Registry,
    hosts: &[HostConfig],
    findings: &mut Findings,
) {
    // A database that cannot be read has been reported already.
    let storage = Arc::new(Rehearsal::open(config).await.unwrap_or_default());
    match start(registry, hosts, Arc::clone(&storage)).await {
        Ok(modules) => hooks::look(modules.core(), findings),
        Err(error) => findings.refuse(Subject::Config, located(&error, config)),
    }
    for error in storage.close().await {
        findings.refuse(Subject::Storage, error.to_string());
    }
}

async fn start(
    registry: &Registry,
    hosts: &[HostConfig],
    storage: Arc<impl Storage + 'static>,
) -> Result<Arc<Runtime>, StartError> {
    let accounts = AccountStore::open(Arc::clone(&storage) as _, 4096, 1).await;
    let accounts = accounts.map_err(|error| StartError::Other(error.to_string()))?;
    let registry = Registry::new(registry.bundles())?;
    Runtime::load(registry, hosts.to_vec(), storage, services(&accounts)).await
}
