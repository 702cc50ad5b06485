//! The value is not a list of strings.

event_core::module_crate!(namespaces = "urn:example:a");

fn main() {
    let _ = BUNDLE;
}
