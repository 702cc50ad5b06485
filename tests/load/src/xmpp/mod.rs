//! Client side of RFC 6120 with as little work as possible: a stanza framer
//! (it finds where each top-level element ends, nothing more), a transport
//! that is plain or TLS, and the steps up to a bound session.

mod client;
mod framer;
mod scram;
mod transport;

pub(crate) use client::{Conn, Target, decoded, header};
pub(crate) use framer::{Event, Framer, attr, condition, has, number, says};
pub(crate) use scram::Verifier;
pub(crate) use transport::{acceptor, tcp};
