//! The colon between namespace and element is missing.

use event_core::prelude::*;

#[hook("iq-get/host/jabber:iq:versionquery")]
fn change(_: &mut Iq) {}

fn main() {}
