//! A module crate outside Spondee, with two modules and an event: `welcome` greets clients that come
//! online and fires an event, which `guestbook` handles.

pub mod guestbook;
pub mod welcome;

event_core::module_crate!(namespaces = ["urn:example:guestbook:0"]);
