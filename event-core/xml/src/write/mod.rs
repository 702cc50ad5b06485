//! Writes elements in normal form.

pub(crate) mod builder;
pub(crate) mod escape;
pub(crate) mod writer;
