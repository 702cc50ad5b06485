//! Checks that the modules start, on a storage in memory, and that their handlers can run.

use std::sync::Arc;

use event_core::{HostConfig, Registry, Runtime, StartError};

use super::{
    findings::{Findings, Subject},
    hooks,
};
use crate::{
    accounts::AccountStore,
    config::Config,
    run::hosts::{located, services},
    storage::{Database, Memory},
};

/// Starts the modules of all hosts, which open their stores.
pub(super) async fn rehearse(
    config: &Config,
    registry: &Registry,
    hosts: &[HostConfig],
    findings: &mut Findings,
) {
    let memory = Arc::new(Memory::new());
    match start(registry, hosts, Arc::clone(&memory)).await {
        Ok(modules) => hooks::look(modules.core(), findings),
        Err(error) => findings.refuse(Subject::Config, located(&error, config)),
    }
    // A database that cannot be used has been reported already.
    for error in Database::rehearse(config, &memory.schemas()).await {
        findings.refuse(Subject::Storage, error.to_string());
    }
}

async fn start(
    registry: &Registry,
    hosts: &[HostConfig],
    storage: Arc<Memory>,
) -> Result<Arc<Runtime>, StartError> {
    let accounts = AccountStore::open(Arc::clone(&storage) as _, 4096, 1).await;
    let accounts = accounts.map_err(|error| StartError::Other(error.to_string()))?;
    let registry = Registry::new(registry.bundles())?;
    Runtime::load(registry, hosts.to_vec(), storage, services(&accounts)).await
}
