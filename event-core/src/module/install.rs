//! The handlers as the expansion of `#[hook]` submits them: function pointers, so that the code that
//! installs a handler exists once for each payload, module and result, not once for each hook
//! (`tests/hook-cost.sh` measures the compile time).

#![allow(missing_debug_implementations, reason = "there is nothing to see in a function pointer")]

use std::{marker::PhantomData, panic::Location, sync::Arc};

use crate::{
    dispatch::{
        chain::{AsyncCall, Call},
        hook::{HookMeta, Place},
        installer::{AnyContext, Install, Installed, WrongContext},
        now_or_later::NowOrLater,
        outcome::{Decision, Outcome, Pending},
    },
    events::traits::{Event, Payload},
    module::{
        context::{Context, NamedContext},
        module::Module,
    },
    util::{future::BoxFuture, rust_path::encloses},
};

/// The result of a handler that is not an `async fn`.
pub trait Returned<P: Payload>: Sized + 'static {
    /// Whether a handler with this result may wait.
    const MAY_WAIT: bool;
    /// Whether a handler with this result always ends the chain.
    const ALWAYS_ANSWERS: bool;

    /// Keeps the handler for a table.
    fn install(
        meta: &'static HookMeta,
        handler: impl for<'a, 'p> Fn(&'a mut P::Of<'p>) -> Self + Send + Sync + 'static,
    ) -> Installed;
}

impl<P: Payload, R: Decision> Returned<P> for R {
    const MAY_WAIT: bool = false;
    const ALWAYS_ANSWERS: bool = R::ALWAYS_ANSWERS;

    fn install(
        meta: &'static HookMeta,
        handler: impl for<'a, 'p> Fn(&'a mut P::Of<'p>) -> Self + Send + Sync + 'static,
    ) -> Installed {
        let call = Call::<P>::Sync(Arc::new(move |payload| handler(payload).into()));
        Installed::new(meta, call)
    }
}

impl<P: Payload, R: Decision> Returned<P> for NowOrLater<P, R> {
    const MAY_WAIT: bool = true;
    const ALWAYS_ANSWERS: bool = R::ALWAYS_ANSWERS;

    fn install(
        meta: &'static HookMeta,
        handler: impl for<'a, 'p> Fn(&'a mut P::Of<'p>) -> Self + Send + Sync + 'static,
    ) -> Installed {
        let call = Call::<P>::NowOrLater(Arc::new(move |payload| handler(payload).map(Into::into)));
        Installed::new(meta, call)
    }
}

/// The expected payload and result of a handler.
pub type Expects<P, X> = PhantomData<fn() -> (P, X)>;

/// Declares a kind of handler of a payload that does not borrow, without and with a context. `T`,
/// `C` and `R` are the types that the author wrote; `P` and `X` are the expected payload and result.
macro_rules! handlers {
    ($($(#[doc = $doc:literal])* $name:ident, $with:ident: ($($reference:tt)+);)*) => {$(
        $(#[doc = $doc])*
        pub struct $name<P, X, T, R>(
            pub for<'a> fn($($reference)+ T) -> R,
            pub Expects<P, X>,
        );

        #[doc = concat!("[`", stringify!($name), "`] with the module's context.")]
        pub struct $with<P, X, T, C, R>(
            pub for<'a> fn($($reference)+ T, &'a C) -> R,
            pub Expects<P, X>,
        );

        impl<P, X, T, C, R> $with<P, X, T, C, R> {
            /// Checks that the context is that of the handler's own Rust module: see [`owned`].
            #[track_caller]
            pub const fn within(self, module_path: &'static str) -> Self
            where
                C: NamedContext,
            {
                owned(C::MODULE_PATH, module_path);
                self
            }
        }

        impl<P: Payload, X: Returned<P>, T: Takes<P>, R: Returns<X>> Install for $name<P, X, T, R> {
            fn may_wait(&self) -> bool {
                X::MAY_WAIT
            }

            fn always_answers(&self) -> bool {
                X::ALWAYS_ANSWERS
            }

            fn install(
                &self,
                meta: &'static HookMeta,
                _: &AnyContext,
            ) -> Result<Installed, WrongContext> {
                let handler = self.0;
                Ok(X::install(meta, move |payload| handler(T::of(payload)).expected()))
            }
        }

        impl<P: Payload, X: Returned<P>, T: Takes<P>, C: Send + Sync + 'static, R: Returns<X>> Install
            for $with<P, X, T, C, R>
        {
            fn may_wait(&self) -> bool {
                X::MAY_WAIT
            }

            fn always_answers(&self) -> bool {
                X::ALWAYS_ANSWERS
            }

            fn install(
                &self,
                meta: &'static HookMeta,
                context: &AnyContext,
            ) -> Result<Installed, WrongContext> {
                let (handler, cx) = (self.0, context_of::<C>(context)?);
                Ok(X::install(meta, move |payload| handler(T::of(payload), &cx).expected()))
            }
        }
    )*};
}

handlers! {
    /// A handler that reads the payload.
    Look, LookWith: (&'a);

    /// A handler that may change the payload.
    Change, ChangeWith: (&'a mut);
}

/// An async handler. The expansion boxes its future, which must be `Send`, because it moves between
/// threads.
pub struct Wait<P, X, T, R>(pub for<'a> fn(&'a mut T) -> BoxFuture<'a, R>, pub Expects<P, X>);

/// [`Wait`] with the module's context.
pub struct WaitWith<P, X, T, C, R>(
    pub for<'a> fn(&'a mut T, &'a C) -> BoxFuture<'a, R>,
    pub Expects<P, X>,
);

impl<P, X, T, C, R> WaitWith<P, X, T, C, R> {
    /// See [`LookWith::within`].
    #[track_caller]
    pub const fn within(self, module_path: &'static str) -> Self
    where
        C: NamedContext,
    {
        owned(C::MODULE_PATH, module_path);
        self
    }
}

impl<P: Payload, X: Decision, T: Takes<P>, R: Returns<X>> Install for Wait<P, X, T, R> {
    fn may_wait(&self) -> bool {
        true
    }

    fn always_answers(&self) -> bool {
        X::ALWAYS_ANSWERS
    }

    fn install(&self, meta: &'static HookMeta, _: &AnyContext) -> Result<Installed, WrongContext> {
        Ok(Installed::new::<P>(meta, Call::Async(Arc::new(Self(self.0, PhantomData)))))
    }
}

impl<P: Payload, X: Decision, T: Takes<P>, C: Send + Sync + 'static, R: Returns<X>> Install
    for WaitWith<P, X, T, C, R>
{
    fn may_wait(&self) -> bool {
        true
    }

    fn always_answers(&self) -> bool {
        X::ALWAYS_ANSWERS
    }

    fn install(
        &self,
        meta: &'static HookMeta,
        context: &AnyContext,
    ) -> Result<Installed, WrongContext> {
        let call = (Self(self.0, PhantomData), context_of::<C>(context)?);
        Ok(Installed::new::<P>(meta, Call::Async(Arc::new(call))))
    }
}

impl<P: Payload, X: Decision, T: Takes<P>, R: Returns<X>> AsyncCall<P> for Wait<P, X, T, R> {
    fn call<'a, 'p>(&'a self, payload: &'a mut P::Of<'p>) -> Pending<'a> {
        X::pending(R::expected_later((self.0)(T::of(payload))))
    }
}

impl<P: Payload, X: Decision, T: Takes<P>, C: Send + Sync + 'static, R: Returns<X>> AsyncCall<P>
    for (WaitWith<P, X, T, C, R>, Arc<C>)
{
    fn call<'a, 'p>(&'a self, payload: &'a mut P::Of<'p>) -> Pending<'a> {
        let (handler, cx) = self;
        X::pending(R::expected_later((handler.0)(T::of(payload), cx)))
    }
}

/// A closure that calls a handler whose types are not written with the documented names, or whose
/// payload borrows. `R` is [`Outcome`], or [`NowOrLater`] of it.
pub struct Closure<P: Payload, R>(pub for<'a, 'p> fn(&'a mut P::Of<'p>) -> R);

/// [`Closure`] with the module's context.
pub struct ClosureWith<P: Payload, M: Module, R>(
    pub for<'a, 'p> fn(&'a mut P::Of<'p>, &'a Context<M>) -> R,
);

impl<P: Payload, M: Module, R> ClosureWith<P, M, R> {
    /// See [`LookWith::within`].
    #[track_caller]
    pub const fn within(self, module_path: &'static str) -> Self {
        owned(M::INFO.module_path, module_path);
        self
    }
}

/// [`Closure`] of an async handler.
pub struct ClosureWait<P: Payload>(pub for<'a, 'p> fn(&'a mut P::Of<'p>) -> BoxFuture<'a, Outcome>);

/// [`ClosureWait`] with the module's context.
pub struct ClosureWaitWith<P: Payload, M: Module>(
    pub for<'a, 'p> fn(&'a mut P::Of<'p>, &'a Context<M>) -> BoxFuture<'a, Outcome>,
);

impl<P: Payload, M: Module> ClosureWaitWith<P, M> {
    /// See [`LookWith::within`].
    #[track_caller]
    pub const fn within(self, module_path: &'static str) -> Self {
        owned(M::INFO.module_path, module_path);
        self
    }
}

impl<P: Payload, R: Returned<P>> Install for Closure<P, R> {
    fn may_wait(&self) -> bool {
        R::MAY_WAIT
    }

    fn install(&self, meta: &'static HookMeta, _: &AnyContext) -> Result<Installed, WrongContext> {
        let handler = self.0;
        Ok(R::install(meta, move |payload| handler(payload)))
    }
}

impl<P: Payload, M: Module, R: Returned<P>> Install for ClosureWith<P, M, R> {
    fn may_wait(&self) -> bool {
        R::MAY_WAIT
    }

    fn install(
        &self,
        meta: &'static HookMeta,
        context: &AnyContext,
    ) -> Result<Installed, WrongContext> {
        let (handler, cx) = (self.0, context_of::<Context<M>>(context)?);
        Ok(R::install(meta, move |payload| handler(payload, &cx)))
    }
}

impl<P: Payload> Install for ClosureWait<P> {
    fn may_wait(&self) -> bool {
        true
    }

    fn install(&self, meta: &'static HookMeta, _: &AnyContext) -> Result<Installed, WrongContext> {
        Ok(Installed::new::<P>(meta, Call::Async(Arc::new(Self(self.0)))))
    }
}

impl<P: Payload, M: Module> Install for ClosureWaitWith<P, M> {
    fn may_wait(&self) -> bool {
        true
    }

    fn install(
        &self,
        meta: &'static HookMeta,
        context: &AnyContext,
    ) -> Result<Installed, WrongContext> {
        let call = (Self(self.0), context_of::<Context<M>>(context)?);
        Ok(Installed::new::<P>(meta, Call::Async(Arc::new(call))))
    }
}

impl<P: Payload> AsyncCall<P> for ClosureWait<P> {
    fn call<'a, 'p>(&'a self, payload: &'a mut P::Of<'p>) -> Pending<'a> {
        Pending::Outcome((self.0)(payload))
    }
}

impl<P: Payload, M: Module> AsyncCall<P> for (ClosureWaitWith<P, M>, Arc<Context<M>>) {
    fn call<'a, 'p>(&'a self, payload: &'a mut P::Of<'p>) -> Pending<'a> {
        Pending::Outcome((self.0.0)(payload, &self.1))
    }
}

fn context_of<C: Send + Sync + 'static>(context: &AnyContext) -> Result<Arc<C>, WrongContext> {
    Arc::clone(context).downcast().map_err(|_| WrongContext)
}

/// Returns the place of a handler in the Rust module `module_path`.
#[track_caller]
pub const fn place(module_path: &'static str) -> Place {
    Place { module_path, attribute: Location::caller() }
}

/// Panics, at compile time, when `module_path`, the handler's Rust module, is outside of `owner`, that
/// of the module whose context the handler takes.
#[track_caller]
const fn owned(owner: &str, module_path: &str) {
    if !encloses(owner, module_path) {
        panic!(
            "this `Context` belongs to a module elsewhere: take that of the `#[module]` in the handler's own Rust module"
        );
    }
}

/// Is called for a function whose signature `#[hook]` cannot read.
#[must_use = "`#[hook]` cannot read this signature, so the function does not handle the event"]
pub const fn unread() -> bool {
    false
}

/// Maps the result of a handler that seldom waits.
pub fn map<P: Payload, R, T>(
    returned: NowOrLater<P, R>,
    map: impl FnOnce(R) -> T + Send + 'static,
) -> NowOrLater<P, T> {
    returned.map(map)
}

/// The payload of an event.
pub type On<E> = <E as Event>::Payload;

/// Checks that an argument whose type has the payload's name is the payload. Only the payload itself
/// implements this, so that another type of the name is an error at the author's types.
#[diagnostic::on_unimplemented(
    message = "the handler takes `{P}`, found another type of that name: `{Self}`",
    label = "not `{P}`",
    note = "name it by its path, `{P}`, or import it with `use {P};`"
)]
pub trait Takes<P: Payload>: 'static {
    /// The payload.
    fn of<'a>(payload: &'a mut P::Of<'_>) -> &'a mut Self;
}

#[diagnostic::do_not_recommend]
impl<P: for<'p> Payload<Of<'p> = P>> Takes<P> for P {
    fn of(payload: &mut P) -> &mut P {
        payload
    }
}

/// Checks that a result whose type has the expected name is of the expected type: see [`Takes`].
#[diagnostic::on_unimplemented(
    message = "the handler returns `{X}`, found `{Self}`",
    label = "not `{X}`, but a type of that name"
)]
pub trait Returns<X>: 'static {
    /// The result.
    fn expected(self) -> X;

    /// The result of a future.
    fn expected_later(future: BoxFuture<'_, Self>) -> BoxFuture<'_, X>;
}

#[diagnostic::do_not_recommend]
impl<X: 'static> Returns<X> for X {
    fn expected(self) -> X {
        self
    }

    fn expected_later(future: BoxFuture<'_, X>) -> BoxFuture<'_, X> {
        future
    }
}
