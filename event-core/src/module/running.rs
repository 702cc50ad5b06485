//! The trait objects through which the runtime starts, reloads and stops modules.

use std::{any::Any, marker::PhantomData, sync::Arc};

use crate::{
    host::host::Host,
    module::{
        context::Context,
        host_context::HostContext,
        info::ModuleInfo,
        module::{Module, ModuleState},
        start_error::StartError,
    },
    util::future::BoxFuture,
};

/// The start of a module, independent of the module's type.
#[doc(hidden)]
pub trait ModuleVtable: Send + Sync + std::fmt::Debug {
    /// Checks options without starting the module.
    fn check(&self, table: &toml::Table) -> Result<(), toml::de::Error>;
    /// Reads the options and creates the module's state.
    fn start<'a>(
        &'a self,
        host: &'a HostContext,
        table: toml::Table,
    ) -> BoxFuture<'a, Result<Box<dyn Running>, StartError>>;
}

/// A module that runs on a host, independent of the module's type.
#[doc(hidden)]
pub trait Running: Send + Sync {
    /// The [`Context`] of the module.
    fn context(&self) -> Arc<dyn Any + Send + Sync>;
    /// Makes the same module with other options. Both share the state and the tasks.
    fn with_options(&self, table: toml::Table) -> Result<Box<dyn Running>, StartError>;
    /// Tells the state that `new`, which [`Running::with_options`] created, replaces this module.
    fn reload<'a>(&'a self, new: &'a dyn Running) -> BoxFuture<'a, ()>;
    /// Aborts the module's tasks and stops the module's state.
    fn stop(&self) -> BoxFuture<'_, ()>;
}

/// The [`ModuleVtable`] of `M`.
#[doc(hidden)]
pub struct VtableOf<M>(PhantomData<fn() -> M>);

impl<M> VtableOf<M> {
    pub const NEW: Self = Self(PhantomData);
}

/// The description of a module. Without the bounds of [`Module`], so that a struct that violates one
/// of them is one error.
#[doc(hidden)]
pub trait HasInfo {
    const INFO: &'static ModuleInfo;
}

impl<M: Module> HasInfo for VtableOf<M> {
    const INFO: &'static ModuleInfo = M::INFO;
}

impl<M: Module> std::fmt::Debug for VtableOf<M> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(M::INFO.name)
    }
}

impl<M: Module> ModuleVtable for VtableOf<M> {
    fn check(&self, table: &toml::Table) -> Result<(), toml::de::Error> {
        M::options(table.clone()).map(drop)
    }

    fn start<'a>(
        &'a self,
        host: &'a HostContext,
        table: toml::Table,
    ) -> BoxFuture<'a, Result<Box<dyn Running>, StartError>> {
        Box::pin(async move {
            let host = host.of_module(M::INFO);
            let options = read_options::<M>(host.host(), table)?;
            let state = M::State::start(&host, &options).await?;
            let context = Context::new(host, options, state);
            let running: Box<dyn Running> = Box::new(RunningModule(context));
            Ok(running)
        })
    }
}

fn read_options<M: Module>(host: &Host, table: toml::Table) -> Result<M, StartError> {
    M::options(table).map_err(|source| StartError::Options {
        module: M::INFO.name.into(),
        place: format!(" on `{}`", host.name()),
        source: Box::new(source),
    })
}

struct RunningModule<M: Module>(Context<M>);

impl<M: Module> Running for RunningModule<M> {
    fn context(&self) -> Arc<dyn Any + Send + Sync> {
        self.0.clone().into_any()
    }

    fn with_options(&self, table: toml::Table) -> Result<Box<dyn Running>, StartError> {
        let options = read_options(self.0.host(), table)?;
        Ok(Box::new(Self(self.0.with_options(options))))
    }

    fn reload<'a>(&'a self, new: &'a dyn Running) -> BoxFuture<'a, ()> {
        Box::pin(async {
            if let Ok(new) = new.context().downcast::<Context<M>>() {
                self.0.state().reload(&self.0, &new).await;
            }
        })
    }

    fn stop(&self) -> BoxFuture<'_, ()> {
        Box::pin(async {
            self.0.tasks().stop();
            self.0.state().stop().await;
        })
    }
}
