//! The services of a host. Services of the server are permanent; a service that a module provides
//! in its start is offered while the module runs.

use std::{
    any::{Any, TypeId},
    cell::RefCell,
    collections::HashMap,
    future::Future,
    sync::Arc,
};

use parking_lot::RwLock;

/// Services by the `TypeId` of their trait. Each value is an `Arc<Trait>` behind `dyn Any`.
pub(crate) type Services = HashMap<TypeId, Arc<dyn Any + Send + Sync>>;

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
        let (key, service): (_, Arc<dyn Any + Send + Sync>) =
            (TypeId::of::<S>(), Arc::new(service));
        let staged = STAGED.try_with(|staged| {
            let mut staged = staged.borrow_mut();
            staged.seen.insert(key, Arc::clone(&service));
            staged.own.insert(key, Arc::clone(&service));
        });
        if staged.is_err() {
            let mut maps = self.0.write();
            maps.base.insert(key, Arc::clone(&service));
            maps.all.insert(key, service);
        }
    }

    pub(crate) fn get<S: ?Sized + Send + Sync + 'static>(&self) -> Option<Arc<S>> {
        let key = TypeId::of::<S>();
        let service = match STAGED.try_with(|staged| staged.borrow().seen.get(&key).cloned()) {
            Ok(service) => service,
            Err(_) => self.0.read().all.get(&key).cloned(),
        };
        service?.downcast_ref::<Arc<S>>().cloned()
    }

    /// The services of the server.
    pub(crate) fn base(&self) -> Services {
        self.0.read().base.clone()
    }

    /// Offers the services of the server and of `modules`, and withdraws all others.
    pub(crate) fn publish<'a>(&self, modules: impl Iterator<Item = &'a Services>) {
        let mut maps = self.0.write();
        let mut all = maps.base.clone();
        all.extend(modules.flatten().map(|(key, service)| (*key, Arc::clone(service))));
        maps.all = all;
    }
}
