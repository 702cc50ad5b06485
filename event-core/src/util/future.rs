//! Boxed futures, and futures whose panics are their output.

use std::{
    any::Any,
    future::Future,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    task::{Context as TaskContext, Poll},
};

/// A boxed future that may move between threads.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

pub(crate) fn panic_message(panic: &(dyn Any + Send)) -> &str {
    panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("no message")
}

/// What a panic carries.
pub(crate) type Panic = Box<dyn Any + Send>;

/// A future whose panics, when it is made and at each poll, are its output.
pub(crate) fn catch_panics<'a, T>(make: impl FnOnce() -> BoxFuture<'a, T>) -> CatchPanics<'a, T> {
    match catch_unwind(AssertUnwindSafe(make)) {
        Ok(future) => CatchPanics::Running(future),
        Err(panic) => CatchPanics::Panicked(Some(panic)),
    }
}

/// See [`catch_panics`].
pub(crate) enum CatchPanics<'a, T> {
    Running(BoxFuture<'a, T>),
    Panicked(Option<Panic>),
}

impl<T> Future for CatchPanics<'_, T> {
    type Output = Result<T, Panic>;

    fn poll(mut self: Pin<&mut Self>, context: &mut TaskContext<'_>) -> Poll<Result<T, Panic>> {
        let panic = match &mut *self {
            Self::Running(future) => {
                match catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(context))) {
                    Ok(poll) => return poll.map(Ok),
                    Err(panic) => panic,
                }
            }
            Self::Panicked(panic) => match panic.take() {
                Some(panic) => panic,
                None => return Poll::Pending,
            },
        };
        // A future that panicked must not be polled again.
        *self = Self::Panicked(None);
        Poll::Ready(Err(panic))
    }
}
