//! Starts and stops the modules of a server, and knows which modules run.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use hashbrown::HashMap;
use jid::DomainPart;
use parking_lot::Mutex;
use tokio::{sync::oneshot, task::JoinSet, time::timeout};

use crate::{
    host::{host::Host, settings::HostConfig},
    module::{host_context::HostContext, registry::Registry, start_error::StartError},
    routing::{background::route_queued, server_core::Core},
    runtime::started::{Started, stop_all},
    storage::Storage,
};

/// Starts, reloads and stops the modules of a [`Core`].
#[derive(Debug)]
pub struct Runtime {
    core: Arc<Core>,
    registry: Registry,
    /// The modules of each host, by the host's slot, in the order of the configuration.
    running: Mutex<HashMap<usize, Vec<Arc<Started>>>>,
    next_slot: AtomicUsize,
    /// Locked during a reload, so that reloads run one after the other.
    pub(crate) reloading: tokio::sync::Mutex<()>,
    /// Tasks that stop the modules and hosts that a reload removed.
    endings: Mutex<JoinSet<()>>,
}

/// How long [`Runtime::stop`] waits for modules that a reload removed.
const ENDINGS_TIMEOUT: Duration = Duration::from_secs(5);

impl Runtime {
    /// Makes the hosts, starts their modules and fires `server-starting`. `prepare` is called for
    /// each host before its modules start, to provide the services that the modules need.
    ///
    /// # Errors
    /// The name of a host is not a domain; or a module is not linked, has wrong options, or fails
    /// to start.
    pub async fn start(
        registry: Registry,
        hosts: Vec<HostConfig>,
        storage: Arc<dyn Storage>,
        prepare: impl Fn(&HostContext),
    ) -> Result<Arc<Self>, StartError> {
        for module in registry.unlisted() {
            tracing::warn!(
                module = module.name,
                "the module never runs: its crate is linked but its bundle is not listed"
            );
        }
        let runtime = Self::load(registry, hosts, storage, prepare).await?;
        runtime.core.announce_starting().await;
        Ok(runtime)
    }

    /// Does the same as [`Runtime::start`] without firing an event: for commands that only inspect
    /// the hosts.
    ///
    /// # Errors
    /// See [`Runtime::start`].
    pub async fn load(
        registry: Registry,
        hosts: Vec<HostConfig>,
        storage: Arc<dyn Storage>,
        prepare: impl Fn(&HostContext),
    ) -> Result<Arc<Self>, StartError> {
        let (core, queue) = Core::new(storage);
        let core = Arc::new(core);
        let runtime = Arc::new(Self {
            core: Arc::clone(&core),
            registry,
            running: Mutex::default(),
            next_slot: AtomicUsize::new(0),
            reloading: tokio::sync::Mutex::default(),
            endings: Mutex::default(),
        });
        let ready = runtime.check_hosts(hosts)?;
        tokio::spawn(route_queued(Arc::downgrade(&core), queue));
        let mut started = Vec::new();
        let planned = runtime.plan_hosts(&ready, prepare, None, &mut started).await;
        match planned.and_then(|plans| Ok((runtime.build_tables(&plans)?, plans))) {
            Ok((tables, plans)) => runtime.publish(plans, tables),
            Err(error) => {
                stop_all(started).await;
                return Err(error);
            }
        };
        Ok(runtime)
    }

    /// The core, which has the hosts and their sessions.
    pub fn core(&self) -> &Arc<Core> {
        &self.core
    }

    /// The modules and events of this binary.
    pub fn registry(&self) -> &Registry {
        &self.registry
    }

    /// Fires `server-stopped`, the last event, and stops the modules in the reverse order of their
    /// start. The caller has closed all streams.
    pub async fn stop(&self) {
        self.core.announce_stopped().await;
        self.core.hosts.rcu(|hosts| hosts.without_handlers());
        for host in self.core.hosts().iter().rev() {
            self.stop_modules(host).await;
        }
        let mut endings = std::mem::take(&mut *self.endings.lock());
        let ended = async { while endings.join_next().await.is_some() {} };
        if timeout(ENDINGS_TIMEOUT, ended).await.is_err() {
            tracing::warn!("modules that a reload removed did not stop in time");
        }
    }

    /// Withdraws the services of a host's modules and stops the modules, in the reverse order of
    /// their start.
    pub(crate) async fn stop_modules(&self, host: &Host) {
        let modules = self.running.lock().remove(&host.slot()).unwrap_or_default();
        host.services().publish(std::iter::empty());
        for module in modules.iter().rev() {
            module.stop(host.name()).await;
        }
    }

    /// Checks the names of hosts and modules, and the options, before any module starts.
    pub(crate) fn check_hosts(
        &self,
        hosts: Vec<HostConfig>,
    ) -> Result<Vec<(DomainPart, HostConfig)>, StartError> {
        let mut ready: Vec<(DomainPart, HostConfig)> = Vec::with_capacity(hosts.len());
        for config in hosts {
            let name = DomainPart::new(&config.name).map_err(|error| StartError::HostName {
                name: config.name.clone(),
                reason: error.to_string(),
            })?;
            if ready.iter().any(|(other, _)| other.as_str() == name.as_str()) {
                return Err(StartError::DuplicateHost { name: name.to_string() });
            }
            self.registry.check_modules(name.as_str(), &config.modules)?;
            ready.push((name.into_owned(), config));
        }
        Ok(ready)
    }

    /// The modules that run on a host, in the order of the configuration.
    pub(crate) fn running(&self, slot: usize) -> Vec<Arc<Started>> {
        self.running.lock().get(&slot).cloned().unwrap_or_default()
    }

    pub(crate) fn set_running(&self, slot: usize, modules: Vec<Arc<Started>>) {
        self.running.lock().insert(slot, modules);
    }

    /// Returns a slot that no other host of this server has had.
    pub(crate) fn take_slot(&self) -> usize {
        self.next_slot.fetch_add(1, Ordering::Relaxed)
    }

    /// Spawns a task that [`Runtime::stop`] waits for. The receiver tells when the task has ended.
    pub(crate) fn spawn_ending(
        &self,
        task: impl Future<Output = ()> + Send + 'static,
    ) -> oneshot::Receiver<()> {
        let (done, ending) = oneshot::channel();
        let mut tasks = self.endings.lock();
        while tasks.try_join_next().is_some() {}
        tasks.spawn(async move {
            task.await;
            // The caller of the reload may have dropped the receiver.
            let _ = done.send(());
        });
        ending
    }
}

impl Drop for Runtime {
    /// Drops handlers and services. Both hold hosts, and would keep a server that was not stopped
    /// in memory.
    fn drop(&mut self) {
        self.core.hosts.rcu(|hosts| hosts.without_handlers());
        for host in self.core.hosts() {
            host.services().publish(std::iter::empty());
        }
    }
}
