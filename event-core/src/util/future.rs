//! Boxed futures, and futures that catch panics.

use std::{any::Any, panic::AssertUnwindSafe};

use futures_util::FutureExt;
pub use futures_util::future::BoxFuture;

/// Makes and runs a future. A panic in `make` or in a poll is returned as an error.
pub(crate) fn catch_panics<'a, T>(
    make: impl FnOnce() -> BoxFuture<'a, T>,
) -> impl Future<Output = Result<T, Box<dyn Any + Send>>> {
    AssertUnwindSafe(async move { make().await }).catch_unwind()
}

/// The message of a panic.
pub(crate) fn panic_message(panic: &(dyn Any + Send)) -> &str {
    panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("no message")
}
