//! The bundled modules. Each has one file or folder, named after its feature.

pub mod account;
pub mod bind;
pub mod blocking;
pub mod component;
pub mod disco;
#[cfg(test)]
mod fakes;
mod hex;
pub mod iq;
pub mod last_activity;
mod locks;
mod lookup;
pub mod message;
pub mod motd;
pub mod offline;
pub mod ping;
pub mod presence;
pub mod private;
pub mod register;
pub mod roster;
pub mod s2s;
pub mod saslauth;
pub mod session;
mod stanzas;
pub mod starttls;
mod stored;
pub mod time;
pub mod uptime;
pub mod vcard;
pub mod version;

event_core::module_crate!();

/// The modules of a host whose configuration has no list of its own, in the order of their
/// handlers.
pub const DEFAULTS: &[&str] = &[
    "starttls",
    "saslauth",
    "dialback",
    "s2s",
    "bind",
    "session",
    "message",
    "presence",
    "roster",
    "offline",
    "blocking",
    "iq",
    "disco",
    "account",
    "ping",
    "version",
    "time",
    "uptime",
    "last_activity",
    "private",
    "vcard",
    "motd",
];
