//! The bundled modules, one file each, named after the feature.

event_core::module_crate!();

/// The modules of a host whose config does not list its own, in the order of their handlers.
pub const DEFAULTS: &[&str] = &[
    "starttls", "saslauth", "bind", "session", "message", "presence", "iq", "disco", "ping",
    "version", "time", "uptime", "motd",
];

pub mod bind;
pub mod saslauth;
pub mod session;
pub mod starttls;
