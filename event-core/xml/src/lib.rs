//! The XML of XMPP streams (RFC 6120 section 11): frames, stream headers, and elements.
//!
//! An [`Element`] consists of bytes and a small index, so that forwarding copies bytes instead of
//! building trees. The crate does not interpret elements. Only the content namespace of a stream
//! has a special role: it is written as [`STANZA_NS`].
//!
//! The strict reader reads all input. The crate `rxml` provides the events from which `xso` builds
//! typed payloads, and the parser with which the tests compare the strict reader.

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

/// The example of the README is tested.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
