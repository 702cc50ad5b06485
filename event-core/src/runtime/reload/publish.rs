//! Another configuration for a server that runs.
//!
//! Everything that can fail comes first and touches nothing that runs: modules that are new are
//! started, those with other options made anew around the state they have, tables built. Then
//! tables are swapped whole. A module that is no more stops when the last dispatch that could
//! reach it has ended.

use std::{future::Future, pin::Pin, sync::Arc, time::Duration};

use jid::DomainPart;
use tokio::{sync::oneshot, time::timeout};

use crate::{
    dispatch::table::{HostTable, global::GlobalTable, order::Enabled},
    host::{host::Host, settings::HostConfig},
    module::{registry::LinkedModule, start_error::StartError},
    protocol::stream_error::StreamError,
    routing::{
        core::{Core, Hosts},
        outbox::turns,
    },
    runtime::{
        reload::{
            change::{Change, ChangeKind, Reloaded},
            plan::Plan,
        },
        started::Started,
    },
    session::session::{Session, SessionState},
};

/// How long a module may take to start while the server runs.
const START: Duration = Duration::from_secs(60);

/// How long the sessions of a host that is gone may take to end.
const LEAVE: Duration = Duration::from_secs(10);

/// Stops what a start that failed had started, the last first.
pub(crate) async fn undo(started: Vec<(Arc<Host>, Arc<Started>)>) {
    for (host, module) in started.iter().rev() {
        module.stop(host.name()).await;
    }
}

impl Core {
    /// Makes the server what another configuration asks for: modules enabled, disabled and with
    /// other options, hosts added and removed, settings changed. Sessions stay connected, but for
    /// those of hosts that are gone. `prepare` is called for each host that is new, before its
    /// modules start.
    ///
    /// # Errors
    /// As [`Core::start`]; then nothing has changed.
    pub async fn reload(
        self: &Arc<Self>,
        hosts: Vec<HostConfig>,
        prepare: impl Fn(&Arc<Host>),
    ) -> Result<Reloaded, StartError> {
        let _turn = self.reloading.lock().await;
        let ready = self.check(hosts)?;
        let mut started = Vec::new();
        let planned = self.plan_all(&ready, prepare, Some(START), &mut started).await;
        let built = planned.and_then(|plans| Ok((self.tables(&plans)?, plans)));
        let (tables, plans) = match built {
            Ok(built) => built,
            Err(error) => {
                undo(started).await;
                return Err(error);
            }
        };
        for plan in &plans {
            for (old, new) in &plan.renewed {
                old.reload(new, plan.host.name()).await;
            }
        }
        Ok(self.publish(plans, tables))
    }

    /// Plans the hosts in order. What is started is put into `started`, also when it fails.
    pub(crate) async fn plan_all(
        self: &Arc<Self>,
        ready: &[(DomainPart, HostConfig)],
        prepare: impl Fn(&Arc<Host>),
        limit: Option<Duration>,
        started: &mut Vec<(Arc<Host>, Arc<Started>)>,
    ) -> Result<Vec<Plan>, StartError> {
        let mut plans = Vec::with_capacity(ready.len());
        for (name, config) in ready {
            let known = self.host(name.as_str());
            let is_new = known.is_none();
            let host = known.unwrap_or_else(|| {
                let settings = config.settings.clone();
                let host = Arc::new(Host::new(name.clone(), settings, Arc::downgrade(self)));
                prepare(&host);
                host
            });
            plans.push(self.plan(host, is_new, config, limit, started).await?);
        }
        Ok(plans)
    }

    async fn plan(
        &self,
        host: Arc<Host>,
        is_new: bool,
        config: &HostConfig,
        limit: Option<Duration>,
        started: &mut Vec<(Arc<Host>, Arc<Started>)>,
    ) -> Result<Plan, StartError> {
        let old = host.running();
        let mut seen = host.services().base();
        let (mut modules, mut renewed, mut changes) = (Vec::new(), Vec::new(), Vec::new());
        for (name, options) in &config.modules {
            let linked = self.linked(name, host.name())?;
            let module = match old.iter().find(|old| old.info.name == name) {
                Some(old) if old.options == *options => Arc::clone(old),
                Some(old) => {
                    let new = Arc::new(old.with_options(options)?);
                    renewed.push((Arc::clone(old), Arc::clone(&new)));
                    changes.push(ChangeKind::ModuleOptions(linked.info.name));
                    new
                }
                None => {
                    let start = Started::new(&host, linked, options, seen.clone());
                    let new = Arc::new(within(limit, linked, &host, Box::pin(start)).await?);
                    started.push((Arc::clone(&host), Arc::clone(&new)));
                    changes.push(ChangeKind::ModuleEnabled(linked.info.name));
                    new
                }
            };
            seen.extend(module.services.iter().map(|(key, one)| (*key, Arc::clone(one))));
            modules.push(module);
        }
        let is_there = |name: &str| modules.iter().any(|module| module.info.name == name);
        let ended: Vec<_> = old.iter().filter(|old| !is_there(old.info.name)).cloned().collect();
        changes.extend(ended.iter().map(|old| ChangeKind::ModuleDisabled(old.info.name)));
        let was_there = |name: &str| old.iter().any(|old| old.info.name == name);
        let names = |modules: &[Arc<Started>]| {
            let names = modules.iter().map(|module| module.info.name);
            names.filter(|name| is_there(name) && was_there(name)).collect::<Vec<_>>()
        };
        if names(&old) != names(&modules) {
            changes.push(ChangeKind::ModuleOrder);
        }
        if is_new {
            changes = vec![ChangeKind::HostAdded];
        } else {
            let keys = config.settings.differences(&host.settings());
            if !keys.is_empty() {
                changes.insert(0, ChangeKind::Settings(keys));
            }
        }
        let change = |kind| Change { host: host.name().into(), kind };
        let changes = changes.into_iter().map(change).collect();
        let settings = config.settings.clone();
        Ok(Plan { host, is_new, settings, modules, renewed, ended, changes })
    }

    /// The tables of the plans' hosts, all of them where any handler differs: the global table is
    /// one, and the figures of handlers are carried over host by host.
    pub(crate) fn tables(&self, plans: &[Plan]) -> Result<Option<Vec<HostTable>>, StartError> {
        let is_kept = |plan: &Plan| {
            let is_setting = |change: &Change| matches!(change.kind, ChangeKind::Settings(_));
            plan.changes.iter().all(is_setting)
        };
        if plans.iter().all(is_kept) && plans.len() == self.hosts().len() {
            return Ok(None);
        }
        let table = |plan: &Plan| {
            let mut enabled = Vec::with_capacity(plan.modules.len());
            for started in &plan.modules {
                let module = self.linked(started.info.name, plan.host.name())?;
                enabled.push(Enabled { module, context: started.module.context() });
            }
            HostTable::build(self.registry(), &enabled)
        };
        plans.iter().map(table).collect::<Result<_, _>>().map(Some)
    }

    /// Makes the plans true. Nothing can fail here.
    pub(crate) fn publish(
        self: &Arc<Self>,
        plans: Vec<Plan>,
        tables: Option<Vec<HostTable>>,
    ) -> Reloaded {
        let before = self.hosts();
        let mut changes: Vec<Change> = plans.iter().flat_map(|plan| plan.changes.clone()).collect();
        for plan in plans.iter().filter(|plan| !plan.is_new) {
            plan.host.configure(plan.settings.clone());
        }
        let Some(tables) = tables else {
            return Reloaded { changes, removed: Vec::new(), endings: Vec::new() };
        };
        let old_global = self.global.load_full();
        let global_end = |endings: &mut Vec<_>| endings.push(boxed(old_global.life().end()));
        let mut endings = Vec::new();
        let mut new_tables = Vec::with_capacity(tables.len());
        let hosts: Vec<_> = plans.iter().map(|plan| Arc::clone(&plan.host)).collect();
        for (plan, mut table) in plans.into_iter().zip(tables) {
            let host = plan.host;
            table.inherit(&host.table(), &old_global);
            // Handlers of either table find their services.
            let running = host.running();
            let both = running.iter().chain(&plan.modules).map(|module| &module.services);
            host.services().publish(both);
            let old = host.publish(table);
            host.runs(plan.modules);
            new_tables.push(host.table().clone());
            if !plan.ended.is_empty() {
                let mut ends = vec![boxed(old.life().end())];
                global_end(&mut ends);
                endings.push(self.ending(host, plan.ended, ends));
            }
        }
        let is_there = |host: &Arc<Host>| hosts.iter().any(|other| other.name() == host.name());
        let removed: Vec<_> = before.into_iter().filter(|host| !is_there(host)).collect();
        self.hosts.store(Arc::new(Hosts::new(hosts)));
        self.global.store(Arc::new(GlobalTable::build(&new_tables)));
        for host in &removed {
            changes.push(Change { host: host.name().into(), kind: ChangeKind::HostRemoved });
            let mut ends = Vec::new();
            global_end(&mut ends);
            endings.push(self.leaving(Arc::clone(host), ends));
        }
        Reloaded { changes, removed, endings }
    }

    /// Stops modules of a host when their tables have ended.
    fn ending(
        &self,
        host: Arc<Host>,
        modules: Vec<Arc<Started>>,
        tables: Vec<Pin<Box<dyn Future<Output = ()> + Send>>>,
    ) -> oneshot::Receiver<()> {
        self.later(async move {
            for table in tables {
                table.await;
            }
            for module in modules.iter().rev() {
                module.stop(host.name()).await;
            }
        })
    }

    /// Ends the sessions of a host that is gone, then stops its modules.
    fn leaving(
        self: &Arc<Self>,
        host: Arc<Host>,
        tables: Vec<Pin<Box<dyn Future<Output = ()> + Send>>>,
    ) -> oneshot::Receiver<()> {
        host.leave();
        let core = Arc::clone(self);
        self.later(async move {
            for session in host.sessions().all() {
                session.close(host_gone());
                if session.state() == SessionState::Detached {
                    core.end_alone(&session).await;
                }
            }
            if timeout(LEAVE, host.emptied()).await.is_err() {
                tracing::warn!(host = host.name(), "its sessions took too long to end");
                for session in host.sessions().all() {
                    core.end_alone(&session).await;
                }
            }
            // Dropped, or it would wait for itself.
            drop(core);
            let table = host.publish(HostTable::empty());
            let end = table.life().end();
            drop(table);
            for table in [boxed(end)].into_iter().chain(tables) {
                table.await;
            }
            host.stop().await;
        })
    }

    async fn end_alone(&self, session: &Session) {
        turns(async {
            self.end(session, Some("the host is gone")).await;
            self.drain().await;
        })
        .await;
    }

    /// Runs `task` beside all else; the server's stop waits for it.
    fn later(&self, task: impl Future<Output = ()> + Send + 'static) -> oneshot::Receiver<()> {
        let (done, ending) = oneshot::channel();
        let mut tasks = self.endings.lock();
        while tasks.try_join_next().is_some() {}
        tasks.spawn(async move {
            task.await;
            // Whoever asked need not wait.
            let _ = done.send(());
        });
        ending
    }
}

/// RFC 6120 §4.9.3.5.
pub fn host_gone() -> StreamError {
    StreamError::host_gone().text("this domain is served here no longer")
}

fn boxed(
    end: impl Future<Output = ()> + Send + 'static,
) -> Pin<Box<dyn Future<Output = ()> + Send>> {
    Box::pin(end)
}

async fn within(
    limit: Option<Duration>,
    module: &LinkedModule,
    host: &Host,
    start: impl Future<Output = Result<Started, StartError>>,
) -> Result<Started, StartError> {
    let Some(limit) = limit else { return start.await };
    timeout(limit, start).await.unwrap_or_else(|_| {
        let reason = format!("it took more than {} seconds", limit.as_secs());
        let (module, host) = (module.info.name, host.name().into());
        Err(StartError::Module { module, host, reason })
    })
}
