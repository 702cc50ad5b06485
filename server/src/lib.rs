//! The Spondee XMPP server.

pub mod accounts;
pub mod cli;
pub mod config;
pub mod listener;
pub mod log;
pub mod storage;
pub mod stream;
pub mod tls;
