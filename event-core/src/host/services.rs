//! The services of a host: what the server provides stays, what a module provides from its start
//! comes and goes with the module.

use std::{
    any::{Any, TypeId},
    cell::RefCell,
    collections::HashMap,
    future::Future,
    sync::Arc,
};

use parking_lot::RwLock;

/// Services by their trait; each is an `Arc` of the trait within.
pub(crate) type Services = HashMap<TypeId, Arc<dyn Any + Send + Sync>>;

/// What a host offers to its modules.
#[derive(Default)]
pub(crate) struct Provided(RwLock<Shelves>);

#[derive(Default)]
struct Shelves {
    /// From the server.
    base: Services,
    /// With those of the modules that run.
    all: Services,
}

/// What a module that is just starting sees, and what it has provided so far.
struct Staged {
    seen: Services,
    own: Services,
}

tokio::task_local! {
    static STAGED: RefCell<Staged>;
}

/// Runs the start of a module, which sees the services in `seen`; gives those it provided. They
/// are nobody else's until [`Provided::publish`].
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
    pub(crate) fn provide<S: ?Sized + Send + Sync + 'static>(&self, service: Arc<S>) {
        let (key, service): (_, Arc<dyn Any + Send + Sync>) =
            (TypeId::of::<S>(), Arc::new(service));
        let staged = STAGED.try_with(|staged| {
            let mut staged = staged.borrow_mut();
            staged.seen.insert(key, Arc::clone(&service));
            staged.own.insert(key, Arc::clone(&service));
        });
        if staged.is_err() {
            let mut shelves = self.0.write();
            shelves.base.insert(key, Arc::clone(&service));
            shelves.all.insert(key, service);
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

    /// What the server provides.
    pub(crate) fn base(&self) -> Services {
        self.0.read().base.clone()
    }

    /// Offers what the server and these modules provide, and nothing else.
    pub(crate) fn publish<'a>(&self, modules: impl Iterator<Item = &'a Services>) {
        let mut shelves = self.0.write();
        let mut all = shelves.base.clone();
        all.extend(modules.flatten().map(|(key, service)| (*key, Arc::clone(service))));
        shelves.all = all;
    }
}
