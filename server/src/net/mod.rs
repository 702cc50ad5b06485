//! The network: sockets that listen, and the limits on connections.

pub mod listener;
