//! Helpers that do not depend on XMPP.

pub(crate) mod clock;
pub mod cost;
pub(crate) mod future;
pub(crate) mod hidden;
pub(crate) mod id;
pub mod rate;
pub(crate) mod rust_path;
pub(crate) mod secret;
pub(crate) mod tally;
