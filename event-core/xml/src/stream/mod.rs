//! Frames of a stream, its header, and the namespaces that the header declares.

pub(crate) mod framer;
pub(crate) mod header;
pub(crate) mod scope;
