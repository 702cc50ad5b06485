//! `#[hook]`, `#[event]` and `#[module]`, re-exported and documented by `event-core`.
//!
//! Each attribute reads its arguments (`attr`), checks them against the annotated item, and expands.
//! All mistakes are reported together, and the annotated item is always kept.

mod attr;
mod docs;
mod event;
mod features;
mod fires;
mod hook;
mod module;
mod own;

use proc_macro::TokenStream;

/// Makes a function the handler of an event. Documented as `event_core::hook`.
#[proc_macro_attribute]
pub fn hook(arguments: TokenStream, item: TokenStream) -> TokenStream {
    hook::expand(arguments.into(), item.into()).into()
}

/// Declares an event. Documented as `event_core::event`.
#[proc_macro_attribute]
pub fn event(arguments: TokenStream, item: TokenStream) -> TokenStream {
    event::expand(arguments.into(), item.into()).into()
}

/// Makes a struct of options a module. Documented as `event_core::module`.
#[proc_macro_attribute]
pub fn module(arguments: TokenStream, item: TokenStream) -> TokenStream {
    module::expand(arguments.into(), item.into()).into()
}

/// Declares a crate of modules. Documented as `event_core::module_crate`, which calls it with the path
/// of `event-core` in front.
#[proc_macro]
pub fn module_crate(arguments: TokenStream) -> TokenStream {
    own::expand(arguments.into()).into()
}
