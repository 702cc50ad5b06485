//! A declared namespace is known.

event_core::module_crate!(namespaces = ["urn:xmpp:ping"]);

fn main() {
    let _ = BUNDLE;
}
