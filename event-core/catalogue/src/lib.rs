//! The names, grammar and rules of Spondee's events.
//!
//! One table with two readers: the attribute macro resolves a name against it while a module is
//! compiled, the server numbers its dispatch slots by it. It knows nothing of payload types or
//! handlers, and what an event means is told where its type is declared.

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
