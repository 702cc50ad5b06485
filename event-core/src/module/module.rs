//! What a module is: its options on one host and its state there.

use std::{future::Future, sync::Arc};

use crate::{
    host::host::Host,
    module::{info::ModuleInfo, start_error::StartError},
};

/// A module's options on one host; [`#[module]`](macro@crate::module) implements it.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a module",
    label = "not a module",
    note = "annotate the struct with `#[module]`"
)]
pub trait Module: Sized + Send + Sync + 'static {
    /// What the module keeps on a host between events; `()` when it keeps nothing.
    type State: ModuleState<Self>;

    /// Name, documentation and what it announces.
    const INFO: &'static ModuleInfo;

    /// Reads the options from the host's configuration.
    ///
    /// # Errors
    /// An unknown key, a missing one or a value of the wrong type.
    fn options(table: toml::Table) -> Result<Self, toml::de::Error>;
}

/// What a module keeps on one host, from its start to its stop. It survives a reload. Look up the
/// services of other modules when they are needed: those modules may be taken away or come anew.
///
/// ```
/// use event_core::{prelude::*, StartError};
/// use std::sync::{Arc, Mutex};
/// /// Counts.
/// #[module(state = Seen)]
/// struct Counter {}
///
/// struct Seen(Mutex<u64>);
///
/// impl ModuleState<Counter> for Seen {
///     async fn start(_: &Arc<Host>, _: &Counter) -> Result<Self, StartError> {
///         Ok(Self(Mutex::new(0)))
///     }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not the state of module `{M}`",
    label = "not a module's state",
    note = "implement `ModuleState<{M}>` for it: `async fn start(host: &Arc<Host>, options: &{M}) -> Result<Self, StartError>`"
)]
pub trait ModuleState<M>: Sized + Send + Sync + 'static {
    /// Makes the state, before a table that names the module is published.
    ///
    /// # Errors
    /// Anything that keeps the module from working on this host; it stops the start.
    fn start(
        host: &Arc<Host>,
        options: &M,
    ) -> impl Future<Output = Result<Self, StartError>> + Send;

    /// The configuration was read again and the options differ. Dispatches under way end with the
    /// old ones; those that begin after this, or after ten seconds of it, have the new ones.
    fn reload(&self, _old: &M, _new: &M) -> impl Future<Output = ()> + Send {
        async {}
    }

    /// The last dispatch that could reach the module has ended.
    fn stop(&self) -> impl Future<Output = ()> + Send {
        async {}
    }
}

impl<M: Module> ModuleState<M> for () {
    async fn start(_: &Arc<Host>, _: &M) -> Result<Self, StartError> {
        Ok(())
    }
}
