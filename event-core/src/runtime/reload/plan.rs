//! Plans the hosts of a new configuration: starts new modules and builds tables. The running
//! modules and tables are not changed.

use std::{sync::Arc, time::Duration};

use jid::DomainPart;
use tokio::time::timeout;

use crate::{
    dispatch::table::{HostTable, order::Enabled},
    host::{
        host::Host,
        settings::{HostConfig, HostSettings},
    },
    module::{host_context::HostContext, registry::LinkedModule, start_error::StartError},
    runtime::{
        reload::change::{Change, ChangeKind},
        runtime::Runtime,
        started::Started,
    },
};

/// The state of a host under the new configuration.
pub(crate) struct Plan {
    pub(crate) host: Arc<Host>,
    pub(crate) is_new: bool,
    pub(crate) settings: HostSettings,
    pub(crate) modules: Vec<Arc<Started>>,
    /// The running modules whose options differ, each with its replacement.
    pub(crate) reconfigured: Vec<(Arc<Started>, Arc<Started>)>,
    /// The modules that no longer run.
    pub(crate) ended: Vec<Arc<Started>>,
    pub(crate) changes: Vec<Change>,
}

impl Runtime {
    /// Plans the hosts in order. Each module that was started is added to `started`, so that the
    /// caller can stop it after an error.
    pub(crate) async fn plan_hosts(
        &self,
        ready: &[(DomainPart, HostConfig)],
        prepare: impl Fn(&HostContext),
        limit: Option<Duration>,
        started: &mut Vec<(Arc<Host>, Arc<Started>)>,
    ) -> Result<Vec<Plan>, StartError> {
        let mut plans = Vec::with_capacity(ready.len());
        for (name, config) in ready {
            let known = self.core().host(name.as_str());
            let is_new = known.is_none();
            let host = known.unwrap_or_else(|| {
                Arc::new(Host::new(name.clone(), config.settings.clone(), self.take_slot()))
            });
            let host = HostContext::new(self.core(), &host);
            if is_new {
                prepare(&host);
            }
            plans.push(self.plan_host(&host, is_new, config, limit, started).await?);
        }
        Ok(plans)
    }

    /// Plans one host: which modules stay, change their options, start and stop.
    async fn plan_host(
        &self,
        context: &HostContext,
        is_new: bool,
        config: &HostConfig,
        limit: Option<Duration>,
        started: &mut Vec<(Arc<Host>, Arc<Started>)>,
    ) -> Result<Plan, StartError> {
        let host = context.host();
        let old = self.running(host.slot());
        let mut seen = host.services().base();
        let (mut modules, mut reconfigured, mut changes) = (Vec::new(), Vec::new(), Vec::new());
        for (name, options) in &config.modules {
            let linked = self.registry().find_linked(name, host.name())?;
            let module = match old.iter().find(|old| old.info.name == name) {
                Some(old) if old.options == *options => Arc::clone(old),
                Some(old) => {
                    let new = Arc::new(old.with_options(options)?);
                    reconfigured.push((Arc::clone(old), Arc::clone(&new)));
                    changes.push(ChangeKind::ModuleOptions(linked.info.name));
                    new
                }
                None => {
                    let start = Started::new(context, linked, options, seen.clone());
                    let new = Arc::new(start_in_time(limit, linked, host, Box::pin(start)).await?);
                    started.push((Arc::clone(host), Arc::clone(&new)));
                    changes.push(ChangeKind::ModuleEnabled(linked.info.name));
                    new
                }
            };
            seen.extend(module.services.iter().map(|(key, one)| (*key, one.clone())));
            modules.push(module);
        }
        let is_configured = |name: &str| modules.iter().any(|module| module.info.name == name);
        let ended: Vec<_> =
            old.iter().filter(|old| !is_configured(old.info.name)).cloned().collect();
        changes.extend(ended.iter().map(|old| ChangeKind::ModuleDisabled(old.info.name)));
        let was_running = |name: &str| old.iter().any(|old| old.info.name == name);
        let kept_order = |modules: &[Arc<Started>]| {
            let names = modules.iter().map(|module| module.info.name);
            names.filter(|name| is_configured(name) && was_running(name)).collect::<Vec<_>>()
        };
        if kept_order(&old) != kept_order(&modules) {
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
        Ok(Plan { host: Arc::clone(host), is_new, settings, modules, reconfigured, ended, changes })
    }

    /// Builds the tables of all hosts, or returns `None` if only settings changed. If any handler
    /// differs, all tables are built, because the global table is made from all of them.
    pub(crate) fn build_tables(
        &self,
        plans: &[Plan],
    ) -> Result<Option<Vec<HostTable>>, StartError> {
        let keeps_table = |plan: &Plan| {
            let is_setting = |change: &Change| matches!(change.kind, ChangeKind::Settings(_));
            plan.changes.iter().all(is_setting)
        };
        if plans.iter().all(keeps_table) && plans.len() == self.core().hosts().len() {
            return Ok(None);
        }
        let linked: Vec<_> = self.registry().names().collect();
        let table = |plan: &Plan| {
            let mut enabled = Vec::with_capacity(plan.modules.len());
            for started in &plan.modules {
                let module = self.registry().find_linked(started.info.name, plan.host.name())?;
                let (info, hooks) = (module.info, &*module.hooks);
                enabled.push(Enabled { info, hooks, context: started.module.context() });
            }
            HostTable::build(&linked, &enabled)
        };
        plans.iter().map(table).collect::<Result<_, _>>().map(Some)
    }
}

/// Awaits the start of a module, at most for `limit`.
async fn start_in_time(
    limit: Option<Duration>,
    module: &LinkedModule,
    host: &Host,
    start: impl Future<Output = Result<Started, StartError>>,
) -> Result<Started, StartError> {
    let Some(limit) = limit else { return start.await };
    timeout(limit, start).await.unwrap_or_else(|_| {
        let reason = format!("the start took more than {} seconds", limit.as_secs());
        let (module, host) = (module.info.name, host.name().into());
        Err(StartError::Module { module, host, reason })
    })
}
