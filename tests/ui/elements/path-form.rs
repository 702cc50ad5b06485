//! The element after the event's type is misspelt.

use event_core::prelude::*;

#[hook(events::IqGetBare, "vcard-temp:vcard")]
fn change(_: &mut Iq) {}

fn main() {}
