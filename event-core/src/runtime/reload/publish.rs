//! Applies another configuration to a running server.
//!
//! The steps that can fail come first and do not change what runs: new modules start, a module with
//! other options gets a second context with the same state, and tables are built. Then the snapshot
//! is replaced as a whole. A removed module stops when the last dispatch on a table with the
//! module's handlers has ended.

use std::{sync::Arc, time::Duration};

use tokio::{sync::oneshot, time::timeout};

use crate::{
    dispatch::table::{HostTable, global::GlobalTable},
    host::{host::Host, settings::HostConfig},
    module::{host_context::HostContext, start_error::StartError},
    protocol::stream_error::StreamError,
    routing::{served::Served, server_core::Core},
    runtime::{
        reload::{
            change::{Change, ChangeKind, Reloaded},
            plan::Plan,
        },
        runtime::Runtime,
        started::{Started, stop_all},
    },
    session::session::{Session, SessionState},
    util::future::BoxFuture,
};

/// The time limit for the start of a module in a reload.
const START_TIMEOUT: Duration = Duration::from_secs(60);

/// The time limit for the end of all sessions of a removed host.
const REMOVAL_TIMEOUT: Duration = Duration::from_secs(10);

impl Runtime {
    /// Applies another configuration: enables and disables modules, changes options and settings,
    /// adds and removes hosts. Sessions stay connected, except those of removed hosts. `prepare` is
    /// called for each new host before its modules start.
    ///
    /// # Errors
    /// See [`Runtime::start`]. After an error nothing has changed.
    pub async fn reload(
        self: &Arc<Self>,
        hosts: Vec<HostConfig>,
        prepare: impl Fn(&HostContext),
    ) -> Result<Reloaded, StartError> {
        let _guard = self.reloading.lock().await;
        let ready = self.check_hosts(hosts)?;
        let mut started = Vec::new();
        let planned = self.plan_hosts(&ready, prepare, Some(START_TIMEOUT), &mut started).await;
        let built = planned.and_then(|plans| Ok((self.build_tables(&plans)?, plans)));
        let (tables, plans) = match built {
            Ok(built) => built,
            Err(error) => {
                stop_all(started).await;
                return Err(error);
            }
        };
        for plan in &plans {
            for (old, new) in &plan.reconfigured {
                old.reload(new, plan.host.name()).await;
            }
        }
        Ok(self.publish(plans, tables))
    }

    /// Applies the plans. No step of this function can fail.
    pub(crate) fn publish(
        self: &Arc<Self>,
        plans: Vec<Plan>,
        tables: Option<Vec<HostTable>>,
    ) -> Reloaded {
        let mut changes: Vec<Change> = plans.iter().flat_map(|plan| plan.changes.clone()).collect();
        for plan in plans.iter().filter(|plan| !plan.is_new) {
            plan.host.configure(plan.settings.clone());
        }
        let Some(tables) = tables else {
            return Reloaded { changes, removed: Vec::new(), endings: Vec::new() };
        };
        let before = self.core().hosts.load_full();
        let mut served = Vec::with_capacity(tables.len());
        for (plan, mut table) in plans.iter().zip(tables) {
            let host = Arc::clone(&plan.host);
            table.inherit(before.table(host.slot()), &before.global);
            // Until all tables are replaced, the services of old and of new modules are offered.
            let running = self.running(host.slot());
            let old_and_new = running.iter().chain(&plan.modules).map(|module| &module.services);
            host.services().publish(old_and_new);
            served.push(Served { host, table: Arc::new(table) });
        }
        let hooks: Vec<_> = served.iter().map(|served| served.table.hooks()).collect();
        let global = Arc::new(GlobalTable::build(&hooks));
        self.core().hosts.rcu(|hosts| hosts.with(&served, Arc::clone(&global)));
        let is_configured =
            |host: &Arc<Host>| plans.iter().any(|plan| plan.host.name() == host.name());
        let removed: Vec<_> =
            before.in_order().iter().filter(|host| !is_configured(host)).cloned().collect();
        let mut endings = Vec::new();
        for Plan { host, modules, ended, .. } in plans {
            host.services().publish(modules.iter().map(|module| &module.services));
            self.set_running(host.slot(), modules);
            if !ended.is_empty() {
                let ends = [before.table(host.slot()).life().end(), before.global.life().end()];
                endings.push(self.spawn_module_stop(host, ended, ends.map(boxed).into()));
            }
        }
        for host in &removed {
            changes.push(Change { host: host.name().into(), kind: ChangeKind::HostRemoved });
            endings
                .push(self.spawn_host_removal(Arc::clone(host), boxed(before.global.life().end())));
        }
        Reloaded { changes, removed, endings }
    }

    /// Spawns a task that stops modules of a host when the last dispatch on `tables` has ended.
    fn spawn_module_stop(
        &self,
        host: Arc<Host>,
        modules: Vec<Arc<Started>>,
        tables: Vec<BoxFuture<'static, ()>>,
    ) -> oneshot::Receiver<()> {
        self.spawn_ending(async move {
            for table in tables {
                table.await;
            }
            for module in modules.iter().rev() {
                module.stop(host.name()).await;
            }
        })
    }

    /// Spawns a task that ends the sessions of a removed host and then stops the host's modules.
    fn spawn_host_removal(
        self: &Arc<Self>,
        host: Arc<Host>,
        global: BoxFuture<'static, ()>,
    ) -> oneshot::Receiver<()> {
        host.mark_removed();
        let runtime = Arc::downgrade(self);
        let core = Arc::clone(self.core());
        self.spawn_ending(async move {
            for session in host.sessions().all() {
                session.close(host_gone());
                if session.state() == SessionState::Detached {
                    end_session_in_turn(&core, &session).await;
                }
            }
            if timeout(REMOVAL_TIMEOUT, host.wait_until_empty()).await.is_err() {
                tracing::warn!(
                    host = host.name(),
                    "the sessions of a removed host did not end in time"
                );
                for session in host.sessions().all() {
                    end_session_in_turn(&core, &session).await;
                }
            }
            let table = core.hosts.load().table(host.slot()).life().end();
            core.hosts.rcu(|hosts| hosts.without(host.slot()));
            table.await;
            global.await;
            if let Some(runtime) = runtime.upgrade() {
                runtime.stop_modules(&host).await;
            }
        })
    }
}

/// Ends a session in a turn of its own.
async fn end_session_in_turn(core: &Core, session: &Session) {
    core.run_turn(core.end_session(session, Some("the host is gone"))).await;
}

/// The stream error for streams of a host that is no longer served (RFC 6120 §4.9.3.5).
pub fn host_gone() -> StreamError {
    StreamError::host_gone().text("this domain is no longer served here")
}

fn boxed(end: impl Future<Output = ()> + Send + 'static) -> BoxFuture<'static, ()> {
    Box::pin(end)
}
