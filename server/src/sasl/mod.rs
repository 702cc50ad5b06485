//! The server side of SASL (RFC 4422): what is offered, and one exchange of messages.

mod mechanism;

pub use mechanism::{Mechanism, UnknownMechanism};
