//! The network: sockets that listen, and the limits on connections.

pub mod limiter;
pub mod listener;
pub(crate) mod socket;
