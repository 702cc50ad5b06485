//! What the binary is made of: the modules, hooks and events that its crates submitted.
//!
//! `inventory` discovers, the list of crates in the binary authorises, and [`Registry::new`]
//! compares the two and refuses to go on when something is silently missing.

use std::{any::Any, collections::BTreeMap, sync::Arc};

use crate::{
    dispatch::installer::{HookRecord, Installed, Installer, WrongContext},
    events::{declared::EventCell, info::EventInfo, traits::EventId},
    module::{info::ModuleInfo, running::ModuleVtable, start_error::StartError},
    util::rust_path::{crate_of, encloses},
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

fn ordered(a: String, b: String) -> (String, String) {
    if a <= b { (a, b) } else { (b, a) }
}
