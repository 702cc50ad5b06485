//! A module that runs on a host.

use std::{sync::Arc, time::Duration};

use tokio::time::timeout;

use crate::{
    host::{
        host::Host,
        services::{Services, stage},
    },
    module::{info::ModuleInfo, registry::LinkedModule, running::Running, start_error::StartError},
    util::future::{catch_panics, panic_message},
};

/// How long a module may take to note its new options, or to stop.
pub(crate) const CHANGE: Duration = Duration::from_secs(10);

/// A module that runs on a host, as the configuration asked for it.
pub(crate) struct Started {
    pub(crate) info: &'static ModuleInfo,
    pub(crate) options: toml::Table,
    pub(crate) module: Box<dyn Running>,
    pub(crate) services: Services,
}

impl Started {
    pub(crate) async fn new(
        host: &Arc<Host>,
        linked: &LinkedModule,
        options: &toml::Table,
        seen: Services,
    ) -> Result<Self, StartError> {
        let info = linked.info;
        let failed =
            |reason| StartError::Module { module: info.name, host: host.name().into(), reason };
        let start = catch_panics(|| linked.vtable.start(host, options.clone()));
        let (started, services) = stage(seen, start).await;
        let module = match started {
            Ok(Ok(module)) => module,
            Ok(Err(StartError::Other(reason))) => return Err(failed(reason)),
            Ok(Err(error)) => return Err(error),
            Err(panic) => return Err(failed(format!("it panicked: {}", panic_message(&*panic)))),
        };
        Ok(Self { info, options: options.clone(), module, services })
    }

    pub(crate) fn with_options(&self, options: &toml::Table) -> Result<Self, StartError> {
        Ok(Self {
            info: self.info,
            options: options.clone(),
            module: self.module.with_options(options.clone())?,
            services: self.services.clone(),
        })
    }

    pub(crate) async fn reload(&self, new: &Self, host: &str) {
        self.bounded(host, "reload", self.module.reload(&*new.module)).await;
    }

    pub(crate) async fn stop(&self, host: &str) {
        self.bounded(host, "stop", self.module.stop()).await;
    }

    pub(crate) async fn bounded(
        &self,
        host: &str,
        what: &str,
        future: crate::util::future::BoxFuture<'_, ()>,
    ) {
        let module = self.info.name;
        match timeout(CHANGE, catch_panics(|| future)).await {
            Ok(Ok(())) => {}
            Ok(Err(panic)) => {
                let message = panic_message(&*panic);
                tracing::error!(host, module, "the module panicked at its {what}: {message}");
            }
            Err(_) => tracing::error!(host, module, "the module's {what} took too long"),
        }
    }
}
