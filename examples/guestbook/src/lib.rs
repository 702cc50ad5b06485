//! A module crate that is not part of Spondee. It has two modules and an event of its own:
//! `welcome` greets who comes online and says so by an event, `guestbook` listens to it.

pub mod guestbook;
pub mod welcome;

event_core::module_crate!();
