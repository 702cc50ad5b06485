//! What the binary is made of: the modules, hooks and events that its crates submitted.
//!
//! `inventory` discovers, the list of crates in the binary authorises, and [`Registry::new`]
//! compares the two and refuses to go on when something is silently missing.

use std::{any::Any, collections::BTreeMap, sync::Arc};

use event_catalogue::Role;

use crate::{
    context::Context,
    dispatch::{AsyncCall, BoxFuture, Call, Chain, Handler, HandlerStats, Passes, SyncCall},
    event::{Event, EventCell, EventId, EventInfo, Family, Payload, Scope},
    flow::Outcome,
    module::{Module, ModuleInfo, ModuleVtable},
    start::StartError,
};

/// A crate of modules, and which of them run by default. The binary's list names it;
/// [`module_crate!`](crate::module_crate) makes one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bundle {
    /// The crate's name as Rust paths spell it.
    #[doc(hidden)]
    pub name: &'static str,
    /// The modules of a host whose configuration does not list its own, in the order of their
    /// handlers.
    pub defaults: &'static [&'static str],
    /// The same for a component.
    pub component_defaults: &'static [&'static str],
    /// The modules that run as well where an external program serves the component (XEP-0114).
    pub external_component_defaults: &'static [&'static str],
}

impl Bundle {
    /// A crate none of whose modules runs by default.
    #[doc(hidden)]
    pub const fn new(name: &'static str) -> Self {
        Self { name, defaults: &[], component_defaults: &[], external_component_defaults: &[] }
    }
}

/// Makes this crate's modules available to binaries, as the constant `BUNDLE` at its root. The
/// arguments are the fields of [`Bundle`](crate::Bundle):
/// `module_crate!(defaults = ["roster", "ping"])`.
///
/// The binary's list names it, which is what makes the linker keep the crate:
/// `spondee::main(&[spondee_modules::BUNDLE, my_modules::BUNDLE])`.
#[macro_export]
macro_rules! module_crate {
    ($($hosts:ident = [$($module:literal),* $(,)?]),* $(,)?) => {
        /// The modules of this crate, for the list of a binary.
        pub const BUNDLE: $crate::Bundle = $crate::Bundle {
            $($hosts: &[$($module),*],)*
            ..$crate::Bundle::new(module_path!())
        };
    };
}

/// The part of a hook's name that its author chose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[doc(hidden)]
pub enum HookParameter {
    None,
    Payload { namespace: &'static str, element: &'static str },
    Id(&'static str),
}

/// What is known of a hook when its crate is compiled.
#[derive(Debug)]
#[non_exhaustive]
pub struct HookMeta {
    /// The event's whole name, with the namespace and element or the id of this hook.
    pub event: &'static str,
    /// Decides what the handler takes and returns.
    pub family: Family,
    /// Whether the event is a host's or the whole server's.
    pub scope: Scope,
    /// Higher runs first.
    pub priority: i32,
    /// Whether the handler is an `async fn`.
    pub is_async: bool,
    /// The Rust module the handler stands in.
    pub module_path: &'static str,
    /// The handler's name.
    pub function: &'static str,
    /// Its source file.
    pub file: &'static str,
    /// Its line.
    pub line: u32,
    /// Its column.
    pub column: u32,
    #[doc(hidden)]
    pub parameter: HookParameter,
    #[doc(hidden)]
    pub event_id: fn() -> EventId,
}

impl HookMeta {
    pub(crate) const fn new<E: Event>(
        (event, parameter): (Option<&'static str>, HookParameter),
        (priority, is_async): (i32, bool),
        (module_path, function): (&'static str, &'static str),
        (file, line, column): (&'static str, u32, u32),
    ) -> Self {
        Self {
            event: match event {
                Some(name) => name,
                None => E::INFO.name,
            },
            family: E::INFO.family,
            scope: E::INFO.scope,
            priority,
            is_async,
            module_path,
            function,
            file,
            line,
            column,
            parameter,
            event_id: E::id,
        }
    }

    /// `module::function`, as code, logs and the listing call the handler.
    pub fn id(&self) -> String {
        let path = self.module_path.split_once("::").map_or(self.module_path, |(_, path)| path);
        format!("{path}::{}", self.function)
    }

    /// The band of a post-routing stanza handler; other events have none.
    pub fn role(&self) -> Option<Role> {
        if self.family == Family::Post { event_catalogue::role(self.priority) } else { None }
    }

    /// Whether a panic leaves the rest of the chain running.
    fn contains_panics(&self) -> bool {
        matches!(self.family, Family::Notification | Family::Collect)
            || self.role() == Some(Role::Observe)
    }

    pub(crate) fn place(&self) -> String {
        format!("{}:{}", self.file, self.line)
    }
}

/// A hook as its expansion submits it.
#[derive(Debug)]
#[doc(hidden)]
pub struct HookRecord {
    pub meta: HookMeta,
    pub install: fn(&mut Installer<'_>) -> Result<(), WrongContext>,
}

/// A module as its expansion submits it.
#[derive(Debug)]
#[doc(hidden)]
pub struct ModuleRecord {
    pub info: &'static ModuleInfo,
    pub vtable: &'static dyn ModuleVtable,
}

/// An event declared with `#[event]`.
#[derive(Debug)]
#[doc(hidden)]
pub struct EventRecord {
    pub info: &'static EventInfo,
    pub module_path: &'static str,
    pub id: &'static EventCell,
}

inventory::collect!(HookRecord);
inventory::collect!(ModuleRecord);
inventory::collect!(EventRecord);

/// A handler asked for the context of a module that it does not belong to.
#[derive(Debug)]
#[doc(hidden)]
pub struct WrongContext;

/// Gives one handler its context and takes it into a table.
#[doc(hidden)]
pub struct Installer<'a> {
    meta: &'static HookMeta,
    context: &'a Arc<dyn Any + Send + Sync>,
    installed: Option<Installed>,
}

impl std::fmt::Debug for Installer<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Installer").field("meta", self.meta).finish_non_exhaustive()
    }
}

impl Installer<'_> {
    /// The context of the module that the handler belongs to.
    pub fn context_of<M: Module>(&self) -> Result<Arc<Context<M>>, WrongContext> {
        Arc::clone(self.context).downcast().map_err(|_| WrongContext)
    }

    pub fn sync<P, C, F>(&mut self, context: C, handler: F)
    where
        P: Payload,
        C: Send + Sync + 'static,
        F: for<'a, 'p> Fn(&'a mut P::Of<'p>, &'a C) -> Outcome + Send + Sync + 'static,
    {
        let call: SyncCall<P> = Arc::new(move |payload| handler(payload, &context));
        self.add::<P>(Call::Sync(call));
    }

    pub fn asynchronous<P, C>(&mut self, context: C, handler: AsyncHandler<P, C>)
    where
        P: Payload,
        C: Send + Sync + 'static,
    {
        self.add::<P>(Call::Async(Arc::new(WithContext::<P, C> { context, handler })));
    }

    fn add<P: Payload>(&mut self, call: Call<P>) {
        let handler = Arc::new(Handler {
            call,
            meta: self.meta,
            contained: self.meta.contains_panics(),
            counters: Default::default(),
        });
        self.installed = Some(Installed {
            meta: self.meta,
            handler: Box::new(handler),
            chain: |handlers| Box::new(Chain::new(handlers.iter().filter_map(|h| h.typed::<P>()))),
        });
    }
}

/// An async handler: the expansion boxes its future.
pub(crate) type AsyncHandler<P, C> =
    for<'a, 'p> fn(&'a mut <P as Payload>::Of<'p>, &'a C) -> BoxFuture<'a, Outcome>;

struct WithContext<P: Payload, C> {
    context: C,
    handler: AsyncHandler<P, C>,
}

impl<P: Payload, C: Send + Sync> AsyncCall<P> for WithContext<P, C> {
    fn call<'a, 'p>(&'a self, payload: &'a mut P::Of<'p>) -> BoxFuture<'a, Outcome> {
        (self.handler)(payload, &self.context)
    }
}

/// A chain of whatever payload, as a table keeps it.
pub(crate) trait AnyChain: Any + Send + Sync {
    /// Adds how often it came to each handler.
    fn count(&self, add: &mut dyn FnMut(HandlerId, Passes));
}

/// Tells a host's handler from all others, also in a chain of several hosts.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct HandlerId(*const ());

impl HandlerId {
    fn of<P: Payload>(handler: &Arc<Handler<P>>) -> Self {
        Self(Arc::as_ptr(handler).cast())
    }
}

impl<P: Payload> AnyChain for Chain<P> {
    fn count(&self, add: &mut dyn FnMut(HandlerId, Passes)) {
        for (handler, passes) in self.passes() {
            add(HandlerId::of(handler), passes);
        }
    }
}

/// A handler of whatever payload, and how a chain is made of such.
pub(crate) struct Installed {
    pub(crate) meta: &'static HookMeta,
    handler: Box<dyn AnyHandler>,
    pub(crate) chain: fn(&[&Self]) -> Box<dyn AnyChain>,
}

trait AnyHandler: Any + Send + Sync {
    fn id(&self) -> HandlerId;
    fn stats(&self, passes: Passes) -> HandlerStats;
}

impl<P: Payload> AnyHandler for Arc<Handler<P>> {
    fn id(&self) -> HandlerId {
        HandlerId::of(self)
    }

    fn stats(&self, passes: Passes) -> HandlerStats {
        self.counters.stats(passes, self.contained)
    }
}

impl Installed {
    pub(crate) fn typed<P: Payload>(&self) -> Option<Arc<Handler<P>>> {
        let any: &dyn Any = &*self.handler;
        any.downcast_ref::<Arc<Handler<P>>>().cloned()
    }

    pub(crate) fn id(&self) -> HandlerId {
        self.handler.id()
    }

    pub(crate) fn stats(&self, passes: Passes) -> HandlerStats {
        self.handler.stats(passes)
    }
}

/// A module that the binary lists, with the hooks that belong to it.
#[derive(Debug)]
pub(crate) struct LinkedModule {
    pub(crate) info: &'static ModuleInfo,
    pub(crate) vtable: &'static dyn ModuleVtable,
    pub(crate) hooks: Vec<&'static HookRecord>,
}

impl LinkedModule {
    pub(crate) fn install(
        &self,
        hook: &'static HookRecord,
        context: &Arc<dyn Any + Send + Sync>,
    ) -> Result<Installed, StartError> {
        let mut installer = Installer { meta: &hook.meta, context, installed: None };
        (hook.install)(&mut installer).map_err(|WrongContext| StartError::WrongContext {
            handler: hook.meta.id(),
            place: hook.meta.place(),
            module: self.info.name,
        })?;
        installer.installed.ok_or_else(|| StartError::NotInstalled { handler: hook.meta.id() })
    }
}

/// The modules, hooks and events of a binary.
#[derive(Debug)]
pub struct Registry {
    modules: BTreeMap<&'static str, LinkedModule>,
    unlisted: Vec<&'static ModuleInfo>,
    bundles: Vec<Bundle>,
}

impl Registry {
    /// Reads what is linked and keeps what belongs to `bundles`.
    ///
    /// # Errors
    /// A crate that brought no module, a module without a hook, a hook without a module, two
    /// modules or two events with one name: see [`StartError`].
    pub fn new(bundles: &[Bundle]) -> Result<Self, StartError> {
        number_events()?;
        let listed = |path: &str| bundles.iter().any(|listed| listed.name == crate_of(path));
        let mut modules = BTreeMap::<_, LinkedModule>::new();
        let mut unlisted = Vec::new();
        for record in inventory::iter::<ModuleRecord> {
            let info = record.info;
            if !listed(info.module_path) {
                unlisted.push(info);
                continue;
            }
            let module = LinkedModule { info, vtable: record.vtable, hooks: Vec::new() };
            if let Some(other) = modules.insert(info.name, module) {
                let (a, b) = ordered(other.info.place(), info.place());
                return Err(StartError::DuplicateModule { name: info.name, a, b });
            }
        }
        for krate in bundles {
            if !modules.values().any(|module| crate_of(module.info.module_path) == krate.name) {
                return Err(StartError::EmptyCrate { name: krate.name });
            }
        }
        for record in inventory::iter::<HookRecord> {
            let meta = &record.meta;
            if !listed(meta.module_path) {
                continue;
            }
            let owner = modules
                .values_mut()
                .filter(|module| encloses(module.info.module_path, meta.module_path))
                .max_by_key(|module| module.info.module_path.len());
            let Some(owner) = owner else {
                return Err(StartError::HookWithoutModule {
                    handler: meta.id(),
                    place: meta.place(),
                });
            };
            owner.hooks.push(record);
        }
        for module in modules.values_mut() {
            if module.hooks.is_empty() {
                let (name, place) = (module.info.name, module.info.place());
                return Err(StartError::ModuleWithoutHook { name, place });
            }
            module.hooks.sort_by_key(|hook| {
                let meta = &hook.meta;
                (meta.file, meta.line, meta.column, meta.function)
            });
        }
        unlisted.sort_by_key(|info| info.module_path);
        Ok(Self { modules, unlisted, bundles: bundles.to_vec() })
    }

    /// Everything that is linked, for tests: no list authorises.
    ///
    /// # Errors
    /// As [`Registry::new`].
    pub fn linked() -> Result<Self, StartError> {
        let mut crates: Vec<_> = inventory::iter::<ModuleRecord>
            .into_iter()
            .map(|record| Bundle::new(crate_of(record.info.module_path)))
            .collect();
        crates.sort_by_key(|krate| krate.name);
        crates.dedup();
        Self::new(&crates)
    }

    /// The modules by name.
    pub fn modules(&self) -> impl Iterator<Item = &'static ModuleInfo> {
        self.modules.values().map(|module| module.info)
    }

    /// The crates of the list, in its order.
    pub fn bundles(&self) -> &[Bundle] {
        &self.bundles
    }

    /// Modules that are linked but belong to no crate of the list; they never run.
    pub fn unlisted(&self) -> &[&'static ModuleInfo] {
        &self.unlisted
    }

    pub(crate) fn module(&self, name: &str) -> Option<&LinkedModule> {
        self.modules.get(name)
    }

    pub(crate) fn names(&self) -> impl Iterator<Item = &'static str> {
        self.modules.keys().copied()
    }

    /// Checks a module's options without starting it.
    ///
    /// # Errors
    /// The module is not linked, or its options are not what it declares.
    pub fn check_options(&self, module: &str, options: &toml::Table) -> Result<(), StartError> {
        let linked = self
            .module(module)
            .ok_or_else(|| StartError::unknown_module(module, "the configuration", self))?;
        linked.vtable.check(options).map_err(|source| StartError::Options {
            module: module.into(),
            place: String::new(),
            source: Box::new(source),
        })
    }
}

/// The documented events that crates declared with `#[event]`, by name.
pub fn declared_events() -> Vec<&'static EventInfo> {
    let mut events: Vec<_> =
        inventory::iter::<EventRecord>.into_iter().map(|record| record.info).collect();
    events.sort_by_key(|info| info.name);
    events
}

/// Gives declared events their ids: after the catalogue's, sorted by name.
fn number_events() -> Result<(), StartError> {
    let mut records: Vec<_> = inventory::iter::<EventRecord>.into_iter().collect();
    records.sort_by_key(|record| (record.info.name, record.info.file, record.info.line));
    for (index, record) in records.iter().enumerate() {
        let place = |record: &EventRecord| format!("{}:{}", record.info.file, record.info.line);
        if event_catalogue::EVENTS.iter().any(|event| event.name == record.info.name) {
            let (name, place) = (record.info.name, place(record));
            return Err(StartError::CatalogueEvent { name, place });
        }
        if let Some(other) = index.checked_sub(1).and_then(|before| records.get(before))
            && other.info.name == record.info.name
        {
            let (a, b) = (place(other), place(record));
            return Err(StartError::DuplicateEvent { name: record.info.name, a, b });
        }
        let id = u16::try_from(event_catalogue::EVENTS.len() + index).unwrap_or(u16::MAX);
        record.id.set(EventId(id));
    }
    Ok(())
}

/// How many slots a table has.
pub(crate) fn event_count() -> usize {
    event_catalogue::EVENTS.len() + inventory::iter::<EventRecord>.into_iter().count()
}

pub(crate) fn crate_of(path: &str) -> &str {
    path.split("::").next().unwrap_or(path)
}

/// Whether the Rust module `inner` is `outer` or stands in it.
pub(crate) const fn encloses(outer: &str, inner: &str) -> bool {
    let (outer, inner) = (outer.as_bytes(), inner.as_bytes());
    if outer.len() > inner.len() {
        return false;
    }
    let (start, rest) = inner.split_at(outer.len());
    let mut index = 0;
    while index < start.len() {
        #[expect(clippy::indexing_slicing, reason = "both are outer.len() long")]
        if start[index] != outer[index] {
            return false;
        }
        index += 1;
    }
    matches!(rest, [] | [b':', b':', ..])
}

fn ordered(a: String, b: String) -> (String, String) {
    if a <= b { (a, b) } else { (b, a) }
}
