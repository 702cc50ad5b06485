//! The way of a stanza: from the element that a stream read to the events it fires and the
//! streams that receive it.

pub(crate) mod admit;
pub(crate) mod background;
pub(crate) mod core;
pub(crate) mod decision;
pub(crate) mod deliver;
pub(crate) mod outbox;
pub(crate) mod queries;
pub(crate) mod query;
pub(crate) mod receive;
pub(crate) mod reply;
pub(crate) mod send;
pub(crate) mod stanza_events;
