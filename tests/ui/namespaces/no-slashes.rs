//! The slashes after the scheme are missing.

use event_core::prelude::*;

#[hook("iq-get/host/http:jabber.org/protocol/disco#info")]
fn change(_: &mut Iq) {}

fn main() {}
