//! What opens and divides a stream: its frames, its header, and what the header declares.

pub(crate) mod framer;
pub(crate) mod header;
pub(crate) mod scope;
