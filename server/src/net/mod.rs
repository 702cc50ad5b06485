//! The network: sockets that listen, and the limits on connections.

pub mod limiter;
pub mod listener;
pub(crate) mod socket;

use std::net::IpAddr;

/// Whether public DNS does not have a name (RFC 6761, RFC 6762, RFC 8375), or it is an address.
pub(crate) fn is_local(name: &str) -> bool {
    let address = name.trim_start_matches('[').trim_end_matches(']');
    let last = name.rsplit('.').next().unwrap_or(name);
    address.parse::<IpAddr>().is_ok()
        || !name.contains('.')
        || ["localhost", "local", "internal", "test"].contains(&last)
        || name.ends_with(".home.arpa")
}
