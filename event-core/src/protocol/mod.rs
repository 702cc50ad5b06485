//! Stanzas, nonzas and errors in the form that handlers receive.

pub(crate) mod into_stanza;
pub(crate) mod iq;
pub(crate) mod nonza;
pub(crate) mod origin;
pub(crate) mod reply;
pub(crate) mod stamp;
pub(crate) mod stanza;
pub(crate) mod stanza_error;
pub(crate) mod stream_error;
