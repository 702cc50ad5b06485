//! The traits that modules implement.

use std::future::Future;

use crate::module::{host_context::HostContext, info::ModuleInfo, start_error::StartError};

/// A module; the type holds the module's options on one host. [`#[module]`](macro@crate::module)
/// implements this trait.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a module",
    label = "not a module",
    note = "annotate the struct with `#[module]`"
)]
pub trait Module: Sized + Send + Sync + 'static {
    /// The module's state on a host; `()` for a module without state.
    type State: ModuleState<Self> + Send + Sync;

    /// The static description of the module.
    const INFO: &'static ModuleInfo;

    /// Reads the options from the host's configuration.
    ///
    /// # Errors
    /// A key is unknown or missing, or a value has the wrong type.
    fn options(table: toml::Table) -> Result<Self, toml::de::Error>;
}

/// A module's state on one host, from the module's start to its stop. The state survives a reload.
/// Look up the services of other modules at each use, because a reload may stop or restart those
/// modules.
///
/// ```
/// use event_core::{prelude::*, StartError};
/// use std::sync::Mutex;
/// /// Counts events.
/// #[module(state = Seen)]
/// struct Counter {}
///
/// struct Seen(Mutex<u64>);
///
/// impl ModuleState<Counter> for Seen {
///     async fn start(_: &HostContext, _: &Counter) -> Result<Self, StartError> {
///         Ok(Self(Mutex::new(0)))
///     }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not the state of module `{M}`",
    label = "not a module's state",
    note = "implement `ModuleState<{M}>` for it: `async fn start(host: &HostContext, options: &{M}) -> Result<Self, StartError>`"
)]
pub trait ModuleState<M>: Sized + 'static {
    /// Creates the state, before the module's handlers are published.
    ///
    /// # Errors
    /// The module cannot work on this host. The error aborts the start of the server or the reload.
    fn start(
        host: &HostContext,
        options: &M,
    ) -> impl Future<Output = Result<Self, StartError>> + Send;

    /// Tells the state that a reload has changed the options. Running dispatches keep the old
    /// options. New dispatches get the new options after this method has returned, or after ten
    /// seconds.
    fn reload(&self, _old: &M, _new: &M) -> impl Future<Output = ()> + Send {
        async {}
    }

    /// Stops the module, after the last dispatch with the module's handlers has ended.
    fn stop(&self) -> impl Future<Output = ()> + Send {
        async {}
    }
}

impl<M: Module> ModuleState<M> for () {
    async fn start(_: &HostContext, _: &M) -> Result<Self, StartError> {
        Ok(())
    }
}
