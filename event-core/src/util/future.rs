//! Boxed futures, and futures that catch panics.

use std::{
    any::Any,
    future::ready,
    panic::{AssertUnwindSafe, catch_unwind},
};

pub use futures_util::future::BoxFuture;
use futures_util::{FutureExt, future::Either};

/// Makes and runs a future. A panic in `make` or in a poll is returned as an error.
// Not an `async fn`, whose future would be larger.
pub(crate) fn catch_panics<F: Future>(
    make: impl FnOnce() -> F,
) -> impl Future<Output = Result<F::Output, Box<dyn Any + Send>>> {
    match catch_unwind(AssertUnwindSafe(make)) {
        Ok(future) => Either::Left(AssertUnwindSafe(future).catch_unwind()),
        Err(panic) => Either::Right(ready(Err(panic))),
    }
}

/// The message of a panic.
pub(crate) fn panic_message(panic: &(dyn Any + Send)) -> &str {
    panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("no message")
}
