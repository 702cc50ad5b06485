//! The names, grammar and rules of Spondee's events.
//!
//! The attribute macros resolve names against the table at compile time, and the server numbers its
//! dispatch slots by it. The crate depends on no payload type or handler; an event is documented on
//! its type in `event-core`.

#![no_std]

extern crate alloc;

mod advice;
mod band;
mod distance;
mod error;
mod features;
mod grammar;
mod lines;
mod name;
mod names;
mod namespaces;
mod near;
mod odd;
mod own;
mod resolve;
mod suggest;
mod table;

pub use advice::NameError;
pub use band::{Band, PRIORITY_RANGES, band};
pub use distance::nearest;
pub use features::{check_feature, feature_node, is_known_feature};
pub use name::{Name, NameParameter, Undeclared};
pub use namespaces::{Element, Fit, elements, is_known, namespaces};
pub use own::{check_own_element, check_own_namespace};
pub use resolve::{resolve, resolve_unusual, undeclared};
pub use table::{EVENTS, EventDef, Family, Parameter, Scope, by_marker};
