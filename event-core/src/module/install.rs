//! What the expansion of `#[hook]` calls. Work that is the same for every hook is done here once,
//! so that an expansion is one record and one closure: see `tests/hook-cost.sh`.

use std::{future::Future, sync::Arc};

use crate::{
    dispatch::{
        hook::{HookMeta, HookParameter},
        installer::{AsyncHandler, Installer, WrongContext},
        outcome::{DecisionOf, Outcome},
    },
    events::traits::{Event, Payload},
    module::{context::Context, module::Module},
    util::{future::BoxFuture, rust_path::encloses},
};

type Installs = Result<(), WrongContext>;

/// A hook's constant half; its place is that of the attribute.
#[track_caller]
pub const fn meta<E: Event>(
    name: Option<&'static str>,
    parameter: HookParameter,
    priority: i32,
    is_async: bool,
    function: (&'static str, &'static str),
) -> HookMeta {
    let place = std::panic::Location::caller();
    let place = (place.file(), place.line(), place.column());
    HookMeta::new::<E>((name, parameter), (priority, is_async), function, place)
}

/// The handler's Rust module, if it stands in that of the module whose context it takes.
#[track_caller]
pub const fn owned(owner: &'static str, module_path: &'static str) -> &'static str {
    if !encloses(owner, module_path) {
        panic!(
            "this `Context` belongs to a module elsewhere: take that of the `#[module]` in the handler's own Rust module"
        );
    }
    module_path
}

/// A handler that looks, without a context.
pub fn look<P: Payload, K, R: DecisionOf<K>>(
    installer: &mut Installer<'_>,
    handler: impl for<'a, 'p> Fn(&'a P::Of<'p>) -> R + Send + Sync + 'static,
) -> Installs {
    installer.sync::<P, _, _>((), move |payload, ()| handler(payload).outcome());
    Ok(())
}

/// A handler that may change the payload, without a context.
pub fn change<P: Payload, K, R: DecisionOf<K>>(
    installer: &mut Installer<'_>,
    handler: impl for<'a, 'p> Fn(&'a mut P::Of<'p>) -> R + Send + Sync + 'static,
) -> Installs {
    installer.sync::<P, _, _>((), move |payload, ()| handler(payload).outcome());
    Ok(())
}

/// A handler that looks, with its module's context.
pub fn look_with<P: Payload, K, M: Module, R: DecisionOf<K>>(
    installer: &mut Installer<'_>,
    handler: impl for<'a, 'p> Fn(&'a P::Of<'p>, &'a Context<M>) -> R + Send + Sync + 'static,
) -> Installs {
    let context = installer.context_of::<M>()?;
    installer.sync::<P, _, _>(context, move |payload, cx| handler(payload, cx).outcome());
    Ok(())
}

/// A handler that may change the payload, with its module's context.
pub fn change_with<P: Payload, K, M: Module, R: DecisionOf<K>>(
    installer: &mut Installer<'_>,
    handler: impl for<'a, 'p> Fn(&'a mut P::Of<'p>, &'a Context<M>) -> R + Send + Sync + 'static,
) -> Installs {
    let context = installer.context_of::<M>()?;
    installer.sync::<P, _, _>(context, move |payload, cx| handler(payload, cx).outcome());
    Ok(())
}

/// An async handler without a context.
pub fn wait<P: Payload>(installer: &mut Installer<'_>, handler: AsyncHandler<P, ()>) -> Installs {
    installer.asynchronous::<P, _>((), handler);
    Ok(())
}

/// An async handler with its module's context.
pub fn wait_with<P: Payload, M: Module>(
    installer: &mut Installer<'_>,
    handler: AsyncHandler<P, Arc<Context<M>>>,
) -> Installs {
    let context = installer.context_of::<M>()?;
    installer.asynchronous::<P, _>(context, handler);
    Ok(())
}

/// A handler's future as the table keeps it. It moves between threads.
pub fn boxed<'a, K, R: DecisionOf<K>>(
    future: impl Future<Output = R> + Send + 'a,
) -> BoxFuture<'a, Outcome> {
    Box::pin(async move { future.await.outcome() })
}
