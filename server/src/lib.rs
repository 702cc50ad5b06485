//! The Spondee XMPP server.

pub mod accounts;
pub mod cli;
pub mod config;
pub mod log;
pub mod storage;
pub mod tls;
