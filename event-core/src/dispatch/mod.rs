//! Handlers, the chains they form, and the tables that find a chain by its event.

pub(crate) mod chain;
pub(crate) mod flow;
pub(crate) mod hook;
pub(crate) mod installer;
pub(crate) mod now_or_later;
pub(crate) mod outcome;
pub(crate) mod stats;
pub(crate) mod table;
