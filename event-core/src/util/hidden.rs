//! Hides a type from the compiler's proofs.

use std::{ops::Deref, sync::Arc};

/// A shared `T`. [`Hidden::new`] asks for `Send` and `Sync`, so a handle is both without a look inside.
///
/// For each async handler the compiler proves that the future is `Send`, and so are the types inside
/// of the handler's arguments. It keeps the result for a type, but not if the type contains a `dyn`.
/// So the handlers' arguments contain few types between them and a `dyn`.
pub(crate) struct Hidden<T>(Arc<dyn Holds<T>>);

trait Holds<T>: Send + Sync {
    fn value(&self) -> &T;
}

impl<T: Send + Sync> Holds<T> for T {
    fn value(&self) -> &T {
        self
    }
}

impl<T: Send + Sync + 'static> Hidden<T> {
    pub(crate) fn new(value: T) -> Self {
        Self(Arc::new(value))
    }
}

impl<T> Clone for Hidden<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T> Deref for Hidden<T> {
    type Target = T;

    fn deref(&self) -> &T {
        (*self.0).value()
    }
}
