//! The return type of a handler that seldom waits.

use crate::{events::traits::Payload, util::future::BoxFuture};

/// The return type of a handler that has its result at once in most cases and waits in a few. The
/// future of an `async fn` is boxed for each event; a `NowOrLater` is boxed only when it waits.
///
/// ```
/// use event_core::{NowOrLater, prelude::*};
/// # /// An example.
/// # #[module]
/// # struct Example {}
/// # async fn look_up(_: &Message) -> Flow { Flow::Handled }
///
/// #[hook("message/bare", priority = 10)]
/// fn deliver(message: &mut Message, _: &Context<Example>) -> NowOrLater<Message, Flow> {
///     match message.is_error() {
///         true => NowOrLater::Now(Flow::Handled),
///         false => NowOrLater::later(|message| Box::pin(async { look_up(message).await })),
///     }
/// }
/// ```
#[must_use = "the handler has to return it"]
pub enum NowOrLater<P: Payload, R: 'static> {
    /// The result.
    Now(R),
    /// Makes a future of the result; see [`NowOrLater::later`].
    Later(MakeFuture<P, R>),
}

/// Makes a handler's future, which borrows the payload.
pub(crate) type MakeFuture<P, R> =
    Box<dyn for<'a, 'p> FnOnce(&'a mut <P as Payload>::Of<'p>) -> BoxFuture<'a, R> + Send>;

impl<P: Payload, R: 'static> NowOrLater<P, R> {
    /// Waits for the future that `make` returns for the payload. A `make` that needs the context
    /// must own a clone of the context.
    pub fn later(
        make: impl for<'a, 'p> FnOnce(&'a mut P::Of<'p>) -> BoxFuture<'a, R> + Send + 'static,
    ) -> Self {
        Self::Later(Box::new(make))
    }

    /// Maps the result.
    pub(crate) fn map<T>(self, map: impl FnOnce(R) -> T + Send + 'static) -> NowOrLater<P, T> {
        match self {
            Self::Now(result) => NowOrLater::Now(map(result)),
            Self::Later(make) => NowOrLater::later(move |payload| {
                let future = make(payload);
                Box::pin(async move { map(future.await) })
            }),
        }
    }
}

impl<P: Payload, R: std::fmt::Debug> std::fmt::Debug for NowOrLater<P, R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Now(result) => f.debug_tuple("Now").field(result).finish(),
            Self::Later(_) => f.write_str("Later(_)"),
        }
    }
}
