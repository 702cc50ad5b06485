//! Streams and the sessions on them.

pub(crate) mod registry;
pub(crate) mod remote;
pub(crate) mod session;
pub(crate) mod stream;
