//! Starts, reloads and stops the modules of a server.

pub(crate) mod listing;
pub(crate) mod reload;
pub(crate) mod runtime;
pub(crate) mod started;
