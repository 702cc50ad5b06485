//! The bundled modules, one file (or folder) each, named after the feature.

mod disco;
mod iq;
mod message;
mod motd;
mod ping;
mod presence;
mod time;
mod uptime;
mod version;

event_core::module_crate!();
