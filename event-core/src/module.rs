//! What a module is: its options on one host, its state there, and what it announces.

use std::{any::Any, future::Future, marker::PhantomData, sync::Arc};

use crate::{Host, context::Context, dispatch::BoxFuture, start::StartError};

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

/// What is known of a module before anything runs.
#[derive(Debug)]
#[non_exhaustive]
pub struct ModuleInfo {
    /// Its name in the configuration.
    pub name: &'static str,
    /// What it is for: the struct's documentation.
    pub doc: &'static str,
    /// Features it adds to service discovery (XEP-0030).
    pub features: &'static [&'static str],
    /// Modules whose handlers run before its own at equal priority.
    pub after: &'static [&'static str],
    /// Its options.
    pub options: &'static [OptionInfo],
    /// The Rust module it is declared in.
    pub module_path: &'static str,
    /// The source file.
    pub file: &'static str,
    /// The line there.
    pub line: u32,
}

impl ModuleInfo {
    #[doc(hidden)]
    pub const fn new(
        (name, doc): (&'static str, &'static str),
        features: &'static [&'static str],
        after: &'static [&'static str],
        options: &'static [OptionInfo],
        (module_path, file, line): (&'static str, &'static str, u32),
    ) -> Self {
        Self { name, doc, features, after, options, module_path, file, line }
    }

    /// The crate it comes from, as Rust paths spell it.
    pub(crate) fn crate_name(&self) -> &'static str {
        crate::registry::crate_of(self.module_path)
    }

    pub(crate) fn place(&self) -> String {
        format!("{}:{}", self.file, self.line)
    }
}

/// One option of a module.
#[derive(Debug)]
#[non_exhaustive]
pub struct OptionInfo {
    /// The key.
    pub name: &'static str,
    /// Its documentation.
    pub doc: &'static str,
    /// Its Rust type, as written.
    pub kind: &'static str,
}

impl OptionInfo {
    #[doc(hidden)]
    pub const fn new(name: &'static str, doc: &'static str, kind: &'static str) -> Self {
        Self { name, doc, kind }
    }
}

/// A module whose type is forgotten.
#[doc(hidden)]
pub trait ModuleVtable: Send + Sync + std::fmt::Debug {
    fn check(&self, table: &toml::Table) -> Result<(), toml::de::Error>;
    fn start<'a>(
        &'a self,
        host: &'a Arc<Host>,
        table: toml::Table,
    ) -> BoxFuture<'a, Result<Box<dyn Running>, StartError>>;
}

/// A module that runs on a host.
#[doc(hidden)]
pub trait Running: Send + Sync {
    fn context(&self) -> Arc<dyn Any + Send + Sync>;
    /// The module with other options: its state and its tasks are the same.
    fn with_options(&self, table: toml::Table) -> Result<Box<dyn Running>, StartError>;
    /// Tells the state that `new`, made by [`Running::with_options`], takes over.
    fn reload<'a>(&'a self, new: &'a dyn Running) -> BoxFuture<'a, ()>;
    fn stop(&self) -> BoxFuture<'_, ()>;
}

/// The [`ModuleVtable`] of `M`.
#[doc(hidden)]
pub struct VtableOf<M>(PhantomData<fn() -> M>);

impl<M> VtableOf<M> {
    pub const NEW: Self = Self(PhantomData);
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
        host: &'a Arc<Host>,
        table: toml::Table,
    ) -> BoxFuture<'a, Result<Box<dyn Running>, StartError>> {
        Box::pin(async move {
            let options = read_options::<M>(host, table)?;
            let state = M::State::start(host, &options).await?;
            let context = Context::new(Arc::clone(host), options, state);
            let running: Box<dyn Running> = Box::new(RunningModule(Arc::new(context)));
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

struct RunningModule<M: Module>(Arc<Context<M>>);

impl<M: Module> Running for RunningModule<M> {
    fn context(&self) -> Arc<dyn Any + Send + Sync> {
        let context: Arc<Context<M>> = Arc::clone(&self.0);
        context
    }

    fn with_options(&self, table: toml::Table) -> Result<Box<dyn Running>, StartError> {
        let options = read_options(self.0.host(), table)?;
        Ok(Box::new(Self(Arc::new(self.0.with_options(options)))))
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
