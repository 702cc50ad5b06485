//! Applies another configuration to a running server.

pub(crate) mod change;
pub(crate) mod plan;
pub(crate) mod publish;
