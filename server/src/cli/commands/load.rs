//! Loads modules without a server, for commands that describe them.

use std::sync::Arc;

use event_core::{HostConfig, Registry, Runtime};

use crate::{
    accounts::AccountStore,
    run::{ServerError, hosts::services},
    storage::Memory,
};

/// A runtime of Tokio for one command.
pub(super) fn runtime() -> Result<tokio::runtime::Runtime, ServerError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.map_err(|source| ServerError::System { what: "cannot start".into(), source })
}

/// Loads the modules of these hosts. The accounts have a storage of their own.
pub(super) async fn load(
    registry: Registry,
    hosts: Vec<HostConfig>,
    storage: Arc<Memory>,
) -> Result<Arc<Runtime>, ServerError> {
    let accounts = AccountStore::open(Arc::new(Memory::default()), 4096, 1).await?;
    let loaded = Runtime::load(registry, hosts, storage, services(&accounts)).await;
    loaded.map_err(ServerError::Start)
}
