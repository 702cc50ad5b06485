//! XML as XMPP has it (RFC 6120 section 11): frames of a stream, its header, and elements that
//! stand alone.
//!
//! An [`Element`] is kept as the bytes it came in plus a small index, so that routing copies bytes
//! instead of building trees. Nothing here knows what a stanza means.

mod element;
mod error;
mod limits;
mod read;
mod stream;
mod typed;
mod write;

pub use crate::{
    element::{Element, child::Child},
    error::{PayloadError, XmlError},
    limits::Limits,
    stream::{
        framer::{Frame, Framer},
        header::StreamHeader,
        scope::{STANZA_NS, STREAM_NS, Scope},
    },
    write::builder::ElementBuilder,
};

#[cfg(test)]
mod tests;
