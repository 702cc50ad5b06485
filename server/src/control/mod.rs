//! Commands to a running server, through a socket in the data folder.

pub(crate) mod client;
pub(crate) mod protocol;
pub(crate) mod server;
