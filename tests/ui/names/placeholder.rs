//! The name has the placeholders of the list instead of a namespace and an element.

use event_core::prelude::*;

#[hook("iq-get/host/XMLNS:TAG", priority = 10)]
fn answer(iq: &mut Iq) -> Reply {
    iq.reply()
}

fn main() {}
