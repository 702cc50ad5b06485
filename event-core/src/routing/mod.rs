//! Routes stanzas: takes an element that a stream has read, fires its events, and writes to the
//! receiver's stream.

pub(crate) mod admit;
pub(crate) mod background;
pub(crate) mod chain_stop;
pub(crate) mod deliver;
pub(crate) mod fire;
pub(crate) mod outbox;
pub(crate) mod outgoing;
pub(crate) mod queries;
pub(crate) mod query;
pub(crate) mod receive;
pub(crate) mod reply;
pub(crate) mod send;
pub(crate) mod served;
pub(crate) mod server_core;
pub(crate) mod server_events;
pub(crate) mod session_events;
pub(crate) mod stanza_events;
pub(crate) mod turn;
pub(crate) mod unsent;
