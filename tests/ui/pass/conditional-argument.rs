//! Arguments with `#[cfg]`.

use event_core::prelude::*;

/// Keeps.
#[module]
pub struct Archive;

#[hook("message/bare")]
fn look(_: &Message, #[cfg(any())] x: u8) {
    #[cfg(any())]
    println!("{x}");
}

#[hook("message/bare")]
#[hook("message/full")]
pub async fn look_later(_: &Message, #[cfg(all())] cx: &Context<Archive>, #[cfg(any())] _: u8) {
    println!("{}", cx.host().name());
}

fn main() {}
