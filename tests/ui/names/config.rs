//! The event is `config-reloaded`.

use event_core::prelude::*;

#[hook("config-reload")]
fn note(_: &ConfigReloaded) {}

fn main() {}
