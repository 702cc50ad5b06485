//! Tests with a DNS server on loopback that gives the answers a test needs.

mod certificate;
mod connect;
pub(crate) mod dns;
mod resolve;
