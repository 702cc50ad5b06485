//! `#[hook]`, `#[event]` and `#[module]`, re-exported and documented by `event-core`.
//!
//! Each attribute is parsed (`attr`), checked (`signature`, `rules`) and expanded (`expand`); all mistakes
//! are reported together, and what was annotated is always kept.

mod attr;
mod docs;
mod event;
mod hook;
mod module;

use proc_macro::TokenStream;

/// Makes a function the handler of an event.
///
/// See `event_core::hook`, which this is re-exported as.
#[proc_macro_attribute]
pub fn hook(arguments: TokenStream, item: TokenStream) -> TokenStream {
    hook::expand(arguments.into(), item.into()).into()
}

/// Declares an event of one's own.
///
/// See `event_core::event`, which this is re-exported as.
#[proc_macro_attribute]
pub fn event(arguments: TokenStream, item: TokenStream) -> TokenStream {
    event::expand(arguments.into(), item.into()).into()
}

/// Makes a struct of options a module.
///
/// See `event_core::module`, which this is re-exported as.
#[proc_macro_attribute]
pub fn module(arguments: TokenStream, item: TokenStream) -> TokenStream {
    module::expand(arguments.into(), item.into()).into()
}
