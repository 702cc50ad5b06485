//! Namespaces and elements that the crate declares as its own.

use event_core::prelude::*;

event_core::module_crate!(
    namespaces = ["https://example.org/ns/weather#1", "urn:xmpp:carbons:3"],
    elements = ["vcard-temp:X-PHOTO", "urn:example:one:0:only"],
);

const NODE: &str = "https://example.org/ns/weather#1+notify";

/// Forecasts.
#[module(features = ["https://example.org/ns/weather#1", NODE, "urn:xmpp:bookmarks:1+notify"])]
pub struct Weather;

#[hook("iq-get/host/https://example.org/ns/weather#1:forecast")]
#[hook("iq-get/bare/vcard-temp:X-PHOTO")]
#[hook("iq-set/host/urn:example:one:0:only")]
#[hook(events::IqSetHost, "urn:xmpp:carbons:3:enable", priority = 5)]
fn forecast(iq: &mut Iq) -> Reply {
    iq.reply()
}

mod inner {
    #[event_core::hook("stanza/https://example.org/ns/weather#1:alert")]
    fn alert(_: &mut event_core::Nonza) {}
}

fn main() {
    let _ = BUNDLE;
}
