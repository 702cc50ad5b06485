//! A module that runs on a host.

use std::{sync::Arc, time::Duration};

use tokio::time::timeout;

use crate::{
    host::{
        host::Host,
        services::{Services, stage},
    },
    module::{
        host_context::HostContext, info::ModuleInfo, registry::LinkedModule, running::Running,
        start_error::StartError,
    },
    util::future::{BoxFuture, catch_panics, panic_message},
};

/// The time limit for a module's reload, and for a module's stop.
pub(crate) const CHANGE_TIMEOUT: Duration = Duration::from_secs(10);

/// A module that runs on a host, with the options that the configuration gave.
pub(crate) struct Started {
    pub(crate) info: &'static ModuleInfo,
    pub(crate) options: toml::Table,
    pub(crate) module: Box<dyn Running>,
    pub(crate) services: Services,
}

impl std::fmt::Debug for Started {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.info.name)
    }
}

impl Started {
    /// Starts a module. `seen` are the services that the module finds on its host.
    pub(crate) async fn new(
        host: &HostContext,
        linked: &LinkedModule,
        options: &toml::Table,
        seen: Services,
    ) -> Result<Self, StartError> {
        let info = linked.info;
        let failed = |reason| StartError::Module {
            module: info.name,
            host: host.host().name().into(),
            reason,
        };
        let start = catch_panics(|| linked.vtable.start(host, options.clone()));
        let (started, services) = stage(seen, start).await;
        let module = match started {
            Ok(Ok(module)) => module,
            Ok(Err(StartError::Other(reason))) => return Err(failed(reason)),
            Ok(Err(error)) => return Err(error),
            Err(panic) => {
                return Err(failed(format!("the start panicked: {}", panic_message(&*panic))));
            }
        };
        Ok(Self { info, options: options.clone(), module, services })
    }

    /// Makes the same module with other options and the same state.
    pub(crate) fn with_options(&self, options: &toml::Table) -> Result<Self, StartError> {
        Ok(Self {
            info: self.info,
            options: options.clone(),
            module: self.module.with_options(options.clone())?,
            services: self.services.clone(),
        })
    }

    /// Tells the module's state that `new` replaces this module.
    pub(crate) async fn reload(&self, new: &Self, host: &str) {
        self.run_bounded(host, "reload", self.module.reload(&*new.module)).await;
    }

    pub(crate) async fn stop(&self, host: &str) {
        self.run_bounded(host, "stop", self.module.stop()).await;
    }

    /// Runs the module's reload or stop. A panic or a timeout is logged.
    async fn run_bounded(&self, host: &str, step: &str, future: BoxFuture<'_, ()>) {
        let module = self.info.name;
        match timeout(CHANGE_TIMEOUT, catch_panics(|| future)).await {
            Ok(Ok(())) => {}
            Ok(Err(panic)) => {
                let panic = panic_message(&*panic);
                tracing::error!(host, module, step, panic, "a module panicked");
            }
            Err(_) => tracing::error!(host, module, step, "a module did not finish in time"),
        }
    }
}

/// Stops the modules that a failed start or reload had started, in reverse order.
pub(crate) async fn stop_all(started: Vec<(Arc<Host>, Arc<Started>)>) {
    for (host, module) in started.iter().rev() {
        module.stop(host.name()).await;
    }
}
