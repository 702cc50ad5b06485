//! The functions that the expansion of `#[hook]` calls. Code shared by all hooks stands here, so
//! that an expansion is one record and one closure (`tests/hook-cost.sh` measures the compile
//! time).

use std::future::Future;

use crate::{
    dispatch::{
        hook::{HookMeta, HookParameter},
        installer::{AsyncHandler, Installer, WrongContext},
        now_or_later::NowOrLater,
        outcome::{Outcome, ReturnOf},
    },
    events::traits::{Event, Payload},
    module::{context::Context, module::Module},
    util::{future::BoxFuture, rust_path::encloses},
};

type Installs = Result<(), WrongContext>;

/// The constant description of a hook, with the source position of the attribute.
#[track_caller]
pub const fn meta<E: Event>(
    name: Option<&'static str>,
    parameter: HookParameter,
    priority: i32,
    (is_async, answers): (bool, bool),
    function: (&'static str, &'static str),
) -> HookMeta {
    let place = std::panic::Location::caller();
    let place = (place.file(), place.line(), place.column());
    HookMeta::new::<E>((name, parameter), (priority, is_async, answers), function, place)
}

/// Gives `module_path`, the handler's Rust module. Panics, at compile time, when `module_path` is
/// outside of `owner`, the Rust module of the module whose context the handler takes.
#[track_caller]
pub const fn owned(owner: &'static str, module_path: &'static str) -> &'static str {
    if !encloses(owner, module_path) {
        panic!(
            "this `Context` belongs to a module elsewhere: take that of the `#[module]` in the handler's own Rust module"
        );
    }
    module_path
}

/// Installs a sync handler that reads the payload and takes no context.
pub fn look<P: Payload, K, R: ReturnOf<K>>(
    installer: &mut Installer<'_>,
    handler: impl for<'a, 'p> Fn(&'a P::Of<'p>) -> R + Send + Sync + 'static,
) -> Installs {
    installer.sync::<P, _, _>((), move |payload, ()| handler(payload).outcome());
    Ok(())
}

/// Installs a sync handler that may change the payload and takes no context.
pub fn change<P: Payload, K, R: ReturnOf<K>>(
    installer: &mut Installer<'_>,
    handler: impl for<'a, 'p> Fn(&'a mut P::Of<'p>) -> R + Send + Sync + 'static,
) -> Installs {
    installer.sync::<P, _, _>((), move |payload, ()| handler(payload).outcome());
    Ok(())
}

/// Installs a sync handler that reads the payload and takes the module's context.
pub fn look_with<P: Payload, K, M: Module, R: ReturnOf<K>>(
    installer: &mut Installer<'_>,
    handler: impl for<'a, 'p> Fn(&'a P::Of<'p>, &'a Context<M>) -> R + Send + Sync + 'static,
) -> Installs {
    let context = installer.context::<Context<M>>()?;
    installer.sync::<P, _, _>(context, move |payload, cx| handler(payload, cx).outcome());
    Ok(())
}

/// Installs a sync handler that may change the payload and takes the module's context.
pub fn change_with<P: Payload, K, M: Module, R: ReturnOf<K>>(
    installer: &mut Installer<'_>,
    handler: impl for<'a, 'p> Fn(&'a mut P::Of<'p>, &'a Context<M>) -> R + Send + Sync + 'static,
) -> Installs {
    let context = installer.context::<Context<M>>()?;
    installer.sync::<P, _, _>(context, move |payload, cx| handler(payload, cx).outcome());
    Ok(())
}

/// Installs a handler that seldom waits and takes no context.
pub fn now_or_later<P: Payload, K: 'static, R: ReturnOf<K> + 'static>(
    installer: &mut Installer<'_>,
    handler: impl for<'a, 'p> Fn(&'a mut P::Of<'p>) -> NowOrLater<P, R> + Send + Sync + 'static,
) -> Installs {
    installer
        .now_or_later::<P, _, _>((), move |payload, ()| handler(payload).map(ReturnOf::outcome));
    Ok(())
}

/// Installs a handler that seldom waits and takes its module's context.
pub fn now_or_later_with<P: Payload, K: 'static, M: Module, R: ReturnOf<K> + 'static>(
    installer: &mut Installer<'_>,
    handler: impl for<'a, 'p> Fn(&'a mut P::Of<'p>, &'a Context<M>) -> NowOrLater<P, R>
    + Send
    + Sync
    + 'static,
) -> Installs {
    let context = installer.context::<Context<M>>()?;
    installer.now_or_later::<P, _, _>(context, move |payload, cx| {
        handler(payload, cx).map(ReturnOf::outcome)
    });
    Ok(())
}

/// Maps the result of a handler that seldom waits.
pub fn map<P: Payload, R, T>(
    returned: NowOrLater<P, R>,
    map: impl FnOnce(R) -> T + Send + 'static,
) -> NowOrLater<P, T> {
    returned.map(map)
}

/// Installs an async handler that takes no context.
pub fn wait<P: Payload>(installer: &mut Installer<'_>, handler: AsyncHandler<P, ()>) -> Installs {
    installer.asynchronous::<P, _>((), handler);
    Ok(())
}

/// Installs an async handler that takes the module's context.
pub fn wait_with<P: Payload, M: Module>(
    installer: &mut Installer<'_>,
    handler: AsyncHandler<P, Context<M>>,
) -> Installs {
    let context = installer.context::<Context<M>>()?;
    installer.asynchronous::<P, _>(context, handler);
    Ok(())
}

/// Boxes the future of an async handler. The future must be `Send`, because it moves between
/// threads.
pub fn boxed<'a, K, R: ReturnOf<K>>(
    future: impl Future<Output = R> + Send + 'a,
) -> BoxFuture<'a, Outcome> {
    Box::pin(async move { future.await.outcome() })
}
