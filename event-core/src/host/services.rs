//! The services of a host. Services of the server are permanent; a service that a module provides
//! in its start is offered while the module runs.

use std::{
    any::{Any, TypeId, type_name},
    cell::RefCell,
    collections::HashMap,
    future::Future,
    sync::Arc,
};

use parking_lot::RwLock;

/// Services by the `TypeId` of their trait.
pub(crate) type Services = HashMap<TypeId, Service>;

/// A service with the name of its trait.
#[derive(Clone)]
pub(crate) struct Service {
    name: &'static str,
    /// An `Arc<Trait>`.
    any: Arc<dyn Any + Send + Sync>,
}

/// The services that a host offers.
#[derive(Default)]
pub(crate) struct Provided(RwLock<Maps>);

#[derive(Default)]
struct Maps {
    /// The services of the server.
    base: Services,
    /// The services of the server and of the running modules.
    all: Services,
}

/// The services during the start of a module.
struct Staged {
    /// The services that the module can use.
    seen: Services,
    /// The services that the module has provided so far.
    own: Services,
}

tokio::task_local! {
    static STAGED: RefCell<Staged>;
}

/// Runs the start of a module, which can use the services in `seen`. Returns the services that the
/// module provided; other modules cannot use these services before [`Provided::publish`].
pub(crate) async fn stage<F: Future>(seen: Services, start: F) -> (F::Output, Services) {
    let staged = RefCell::new(Staged { seen, own: Services::new() });
    STAGED
        .scope(staged, async {
            let output = start.await;
            let own = STAGED.with(|staged| std::mem::take(&mut staged.borrow_mut().own));
            (output, own)
        })
        .await
}

impl Provided {
    /// Adds a service: inside of [`stage`] to the starting module, elsewhere to the server.
    pub(crate) fn provide<S: ?Sized + Send + Sync + 'static>(&self, service: Arc<S>) {
        let key = TypeId::of::<S>();
        let service = Service { name: type_name::<S>(), any: Arc::new(service) };
        let staged = STAGED.try_with(|staged| {
            let mut staged = staged.borrow_mut();
            staged.seen.insert(key, service.clone());
            staged.own.insert(key, service.clone());
        });
        if staged.is_err() {
            let mut maps = self.0.write();
            maps.base.insert(key, service.clone());
            maps.all.insert(key, service);
        }
    }

    pub(crate) fn get<S: ?Sized + Send + Sync + 'static>(&self) -> Option<Arc<S>> {
        let key = TypeId::of::<S>();
        let service = match STAGED.try_with(|staged| staged.borrow().seen.get(&key).cloned()) {
            Ok(service) => service,
            Err(_) => self.0.read().all.get(&key).cloned(),
        };
        service?.any.downcast_ref::<Arc<S>>().cloned()
    }

    /// Whether [`Provided::get`] finds a service, outside of [`stage`].
    pub(crate) fn has<S: ?Sized + Send + Sync + 'static>(&self) -> bool {
        self.0.read().all.contains_key(&TypeId::of::<S>())
    }

    /// The traits of the services that modules offer, sorted.
    pub(crate) fn by_modules(&self) -> Vec<&'static str> {
        let maps = self.0.read();
        let added = maps.all.iter().filter(|(key, _)| !maps.base.contains_key(key));
        let traits = added.filter_map(|(_, service)| service.name.strip_prefix("dyn "));
        let mut names: Vec<_> = traits.filter_map(|path| path.rsplit("::").next()).collect();
        names.sort_unstable();
        names
    }

    /// The services of the server.
    pub(crate) fn base(&self) -> Services {
        self.0.read().base.clone()
    }

    /// Offers the services of the server and of `modules`, and withdraws all others.
    pub(crate) fn publish<'a>(&self, modules: impl Iterator<Item = &'a Services>) {
        let mut maps = self.0.write();
        let mut all = maps.base.clone();
        all.extend(modules.flatten().map(|(key, service)| (*key, service.clone())));
        maps.all = all;
    }
}
