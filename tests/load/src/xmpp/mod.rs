//! A minimal client of RFC 6120: a framer that only finds the end of each top-level element, a
//! transport with or without TLS, and the steps up to a bound session.

mod client;
mod framer;
mod scram;
mod transport;

pub(crate) use client::{Conn, Target, decoded, header};
pub(crate) use framer::{Event, Framer, attr, condition, has, number, says};
pub(crate) use scram::Verifier;
pub(crate) use transport::{acceptor, connector, tcp};
