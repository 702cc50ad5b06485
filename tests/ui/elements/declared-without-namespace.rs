//! A declared element has no namespace.

event_core::module_crate!(elements = ["vCard"]);

fn main() {
    let _ = BUNDLE;
}
