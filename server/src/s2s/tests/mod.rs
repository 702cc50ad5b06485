//! Against a DNS server on loopback that says what a test wants.

mod certificate;
mod connect;
pub(crate) mod dns;
mod resolve;
