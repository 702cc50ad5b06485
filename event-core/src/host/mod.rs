//! Hosts: the domains that this server serves.

pub(crate) mod host;
pub(crate) mod role;
pub(crate) mod services;
pub(crate) mod settings;
