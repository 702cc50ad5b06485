//! A namespace is declared twice.

event_core::module_crate!(namespaces = ["urn:example:a", "urn:example:a"]);

fn main() {
    let _ = BUNDLE;
}
