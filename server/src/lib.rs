//! The Spondee XMPP server.

pub mod accounts;
pub mod config;
pub mod sasl;
pub mod storage;
pub mod tls;
