//! XML as XMPP has it (RFC 6120 section 11): frames of a stream, its header, and elements that
//! stand alone.
//!
//! An [`Element`] is kept as the bytes it came in plus a small index, so that routing copies bytes
//! instead of building trees. Nothing here knows what a stanza means.

mod builder;
mod chars;
mod child;
mod edit;
mod element;
mod error;
mod escape;
mod framer;
mod header;
mod index;
mod limits;
mod names;
mod parse;
mod scope;
mod tag;
mod typed;
mod walk;
mod writer;

pub use self::{
    builder::ElementBuilder,
    child::Child,
    element::Element,
    error::{PayloadError, XmlError},
    framer::{Frame, Framer},
    header::StreamHeader,
    limits::Limits,
    scope::{STANZA_NS, STREAM_NS, Scope},
};

#[cfg(test)]
mod tests;
