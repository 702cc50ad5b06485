//! The names, grammar and rules of Spondee's events.
//!
//! The attribute macros resolve names against the table at compile time, and the server numbers its
//! dispatch slots by it. The crate depends on no payload type or handler; an event is documented on
//! its type in `event-core`.

#![no_std]

extern crate alloc;

mod band;
mod distance;
mod error;
mod grammar;
mod name;
mod namespaces;
mod near;
mod resolve;
mod suggest;
mod table;

pub use band::{Band, PRIORITY_RANGES, band};
pub use distance::nearest;
pub use error::NameError;
pub use name::{Name, NameParameter, Namespace};
pub use namespaces::{is_known, namespaces};
pub use resolve::{parse, resolve};
pub use table::{EVENTS, EventDef, Family, Parameter, Scope, by_marker};
