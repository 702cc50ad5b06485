//! The XML of XMPP streams (RFC 6120 section 11): frames, stream headers, and elements.
//!
//! An [`Element`] keeps the bytes it was read from and a small index of them, so that forwarding
//! copies bytes instead of building trees. The crate gives no element a meaning; it knows
//! namespaces only as far as a stream's content namespace is written as [`STANZA_NS`].
//!
//! The strict reader reads all input. `rxml` has two parts: its events are what typed payloads of
//! `xso` are built from, and its parser is the oracle of the tests.

mod element;
mod error;
mod limits;
mod read;
mod span;
mod stream;
mod typed;
mod write;

pub use crate::{
    element::{Element, child::Child},
    error::{PayloadError, XmlError},
    limits::XmlLimits,
    read::stamp::Stamp,
    stream::{
        framer::{Frame, Framer},
        header::StreamHeader,
        scope::{NamespaceScope, STANZA_NS, STREAM_NS},
    },
    write::builder::ElementBuilder,
};

#[cfg(test)]
mod tests;
