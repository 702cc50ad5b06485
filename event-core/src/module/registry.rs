//! The registry of the modules, hooks and events that the crates of a binary submit.
//!
//! `inventory` finds the records of all linked crates. The binary lists the crates whose modules
//! may run. [`Registry::new`] compares both, because nothing else reports a crate that is missing.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    dispatch::{
        installer::{HookRecord, LinkedHook},
        table::order::ranks,
    },
    events::{declared::EventRecord, fired::is_fired_by_modules, info::EventInfo, traits::EventId},
    module::{info::ModuleInfo, running::ModuleVtable, start_error::StartError},
    util::rust_path::{crate_of, encloses},
};

/// A crate of modules, as a binary lists the crate. [`module_crate!`](crate::module_crate) declares
/// a bundle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bundle {
    /// The name of the crate, as Rust paths spell the name.
    #[doc(hidden)]
    pub name: &'static str,
    /// The modules of a host whose configuration has no list of modules, in the order of their
    /// handlers at equal priority.
    pub defaults: &'static [&'static str],
    /// The modules of a component whose configuration has no list of modules.
    pub component_defaults: &'static [&'static str],
    /// The modules that run in addition when an external program serves the component (XEP-0114).
    pub external_component_defaults: &'static [&'static str],
}

impl Bundle {
    /// A crate without default modules.
    #[doc(hidden)]
    pub const fn new(name: &'static str) -> Self {
        Self { name, defaults: &[], component_defaults: &[], external_component_defaults: &[] }
    }
}

/// Declares a crate of modules. Call the macro once, at the root of the crate:
///
/// ```
/// event_core::module_crate!(
///     defaults = ["guestbook"],
///     namespaces = ["urn:example:guestbook:0"],
///     elements = ["vcard-temp:X-GUEST"],
/// );
///
/// use event_core::prelude::*;
///
/// #[hook("iq-get/host/urn:example:guestbook:0:query", priority = 10)]
/// fn list(iq: &mut Iq) -> Reply {
///     iq.reply()
/// }
/// # fn main() {}
/// ```
///
/// All arguments may be left out:
///
/// - `defaults`, `component_defaults` and `external_component_defaults` are fields of
///   [`Bundle`](crate::Bundle): the modules of hosts and components that list none.
/// - `namespaces` are your own namespaces. Events take every element of them, and `features` of a
///   module take the namespaces. A known namespace, or one that is a single edit from a known one, is
///   refused; another version of a known one is accepted.
/// - `elements` are your own elements, each as `XMLNS:TAG`, in a known namespace or in one of your own.
///
/// The macro makes the constant `BUNDLE`. A binary names it in its list, so that the linker keeps the
/// crate: `spondee::main(&[spondee_modules::BUNDLE, my_modules::BUNDLE])`.
#[macro_export]
macro_rules! module_crate {
    ($($arguments:tt)*) => {
        $crate::__private::module_crate! { $crate, $($arguments)* }
    };
}

/// The record that the expansion of `#[module]` submits.
#[derive(Debug)]
#[doc(hidden)]
pub struct ModuleRecord {
    pub info: &'static ModuleInfo,
    pub vtable: &'static dyn ModuleVtable,
}

inventory::collect!(ModuleRecord);

/// All linked modules, including those of crates that are not listed.
pub(crate) fn linked_modules() -> impl Iterator<Item = &'static ModuleInfo> {
    inventory::iter::<ModuleRecord>.into_iter().map(|record| record.info)
}

/// A module of a listed crate, with the module's hooks.
#[derive(Debug)]
pub(crate) struct LinkedModule {
    pub(crate) info: &'static ModuleInfo,
    pub(crate) vtable: &'static dyn ModuleVtable,
    pub(crate) hooks: Vec<&'static LinkedHook>,
}

/// The modules, hooks and events of a binary.
#[derive(Debug)]
pub struct Registry {
    modules: BTreeMap<&'static str, LinkedModule>,
    unlisted: Vec<&'static ModuleInfo>,
    bundles: Vec<Bundle>,
}

impl Registry {
    /// Collects the linked modules, hooks and events of the crates in `bundles`.
    ///
    /// # Errors
    /// A listed crate has no module, a module has no hook, a hook belongs to no module, or two
    /// modules or two events have the same name.
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
        for hook in LinkedHook::all() {
            let hook = hook?;
            let meta = &hook.meta;
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
            owner.hooks.push(hook);
        }
        for krate in bundles {
            if !modules.values().any(|module| crate_of(module.info.module_path) == krate.name) {
                return Err(StartError::EmptyCrate { name: krate.name });
            }
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

    /// Collects the modules, hooks and events of all linked crates, for tests.
    ///
    /// # Errors
    /// See [`Registry::new`].
    pub fn linked() -> Result<Self, StartError> {
        let modules = inventory::iter::<ModuleRecord>.into_iter();
        let hooks = inventory::iter::<HookRecord>.into_iter();
        let paths = modules.map(|record| record.info.module_path);
        let crates: BTreeSet<_> =
            paths.chain(hooks.map(|record| record.place.module_path)).map(crate_of).collect();
        Self::new(&crates.into_iter().map(Bundle::new).collect::<Vec<_>>())
    }

    /// The modules, sorted by name.
    pub fn modules(&self) -> impl Iterator<Item = &'static ModuleInfo> {
        self.modules.values().map(|module| module.info)
    }

    /// The events that a module hooks and that only other modules fire, each with the modules that
    /// fire it.
    pub fn needs(&self, module: &str) -> Vec<(&'static str, Vec<&'static str>)> {
        let Some(linked) = self.module(module) else { return Vec::new() };
        let hooked = linked.hooks.iter().map(|hook| hook.meta.event);
        let mut events: Vec<_> = hooked
            .filter(|event| is_fired_by_modules(event) && !linked.info.declares(event))
            .collect();
        events.sort_unstable();
        events.dedup();
        let by = |event: &str| {
            let firing = self.modules().filter(|info| info.declares(event));
            firing.map(|info| info.name).collect()
        };
        events.into_iter().map(|event| (event, by(event))).collect()
    }

    /// The listed crates, in the order of the list.
    pub fn bundles(&self) -> &[Bundle] {
        &self.bundles
    }

    /// The linked modules of crates that are not listed. These modules never run.
    pub fn unlisted(&self) -> &[&'static ModuleInfo] {
        &self.unlisted
    }

    pub(crate) fn module(&self, name: &str) -> Option<&LinkedModule> {
        self.modules.get(name)
    }

    pub(crate) fn names(&self) -> impl Iterator<Item = &'static str> {
        self.modules.keys().copied()
    }

    /// The error for a module that the binary does not have. `place` is where the module is named.
    pub(crate) fn unknown_module(&self, name: &str, place: impl Into<String>) -> StartError {
        let unlisted = self.unlisted.iter().find(|module| module.name == name);
        StartError::UnknownModule {
            name: name.into(),
            place: place.into(),
            unlisted: unlisted.map(|module| module.crate_name()),
            nearest: event_catalogue::nearest(name, self.names()),
        }
    }

    /// The module `name`, which the configuration of `host` enables.
    pub(crate) fn find_linked(&self, name: &str, host: &str) -> Result<&LinkedModule, StartError> {
        self.module(name).ok_or_else(|| self.unknown_module(name, format!("host `{host}`")))
    }

    /// Checks the names, options and order of a host's modules before the first module starts.
    pub(crate) fn check_modules(
        &self,
        host: &str,
        modules: &[(String, toml::Table)],
    ) -> Result<(), StartError> {
        for (index, (name, options)) in modules.iter().enumerate() {
            let module = self.find_linked(name, host)?;
            if modules.iter().take(index).any(|(other, _)| other == name) {
                return Err(StartError::EnabledTwice { module: name.clone(), host: host.into() });
            }
            module.vtable.check(options).map_err(|source| StartError::Options {
                module: name.as_str().into(),
                place: format!(" on `{host}`"),
                source: Box::new(source),
            })?;
        }
        self.check_order(modules.iter().map(|(name, _)| name.as_str()))
    }

    /// Checks whether the modules of a host can be ordered: each name in their `after` lists is
    /// known, and the lists form no cycle. Modules that are not linked are ignored.
    ///
    /// # Errors
    /// [`StartError::UnknownAfter`] or [`StartError::AfterCycle`].
    pub fn check_order<'a>(
        &self,
        modules: impl IntoIterator<Item = &'a str>,
    ) -> Result<(), StartError> {
        let linked: Vec<_> = self.names().collect();
        let modules = modules.into_iter().filter_map(|name| self.module(name));
        let infos: Vec<_> = modules.map(|module| module.info).collect();
        ranks(&linked, &infos).map(drop)
    }

    /// Checks a module's options without starting the module.
    ///
    /// # Errors
    /// The module is not linked, or the options do not match the module's declaration.
    pub fn check_options(&self, module: &str, options: &toml::Table) -> Result<(), StartError> {
        let linked =
            self.module(module).ok_or_else(|| self.unknown_module(module, "the configuration"))?;
        linked.vtable.check(options).map_err(|source| StartError::Options {
            module: module.into(),
            place: String::new(),
            source: Box::new(source),
        })
    }
}

/// The events that crates declare with `#[event]`, sorted by name.
pub fn declared_events() -> Vec<&'static EventInfo> {
    let mut events: Vec<_> =
        inventory::iter::<EventRecord>.into_iter().map(|record| record.info).collect();
    events.sort_by_key(|info| info.name);
    events
}

/// Assigns ids to the declared events, in the order of their names, after the ids of the catalogue.
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

fn ordered(a: String, b: String) -> (String, String) {
    if a <= b { (a, b) } else { (b, a) }
}
