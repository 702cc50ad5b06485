//! Modules: options, state and context, and the registry of the linked modules.

pub(crate) mod context;
pub(crate) mod host_context;
pub(crate) mod info;
pub(crate) mod install;
pub(crate) mod module;
pub(crate) mod options;
pub(crate) mod own;
pub(crate) mod registry;
pub(crate) mod running;
pub(crate) mod start_error;
pub(crate) mod tasks;
