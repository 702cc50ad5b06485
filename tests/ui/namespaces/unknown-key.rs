//! The key is misspelt.

event_core::module_crate!(namespace = ["urn:example:a"]);

fn main() {
    let _ = BUNDLE;
}
