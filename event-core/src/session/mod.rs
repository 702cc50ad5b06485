//! Sessions, their streams, and the registry of bound sessions.

pub(crate) mod domains;
pub(crate) mod registry;
pub(crate) mod remote;
pub(crate) mod session;
pub(crate) mod stream;
