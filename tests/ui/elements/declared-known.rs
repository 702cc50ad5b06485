//! A declared element is known.

event_core::module_crate!(elements = ["vcard-temp:vCard"]);

fn main() {
    let _ = BUNDLE;
}
