//! Against a DNS server on loopback that says what a test wants.

mod certificate;
mod connect;
mod dns;
mod resolve;
