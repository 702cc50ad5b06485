//! The function keeps its documentation, attributes and visibility.

use event_core::prelude::*;

/// Keeps.
#[module]
pub struct Archive;

/// Looks at messages.
///
/// # Panics
/// Never.
#[hook("message/bare")]
#[inline]
#[allow(clippy::needless_pass_by_value)]
pub fn look(#[allow(unused)] message: &Message, _: &Context<Archive>) {}

#[hook("message/bare")]
#[deprecated = "still hooked"]
pub(crate) fn look_again(_: &Message) {}

fn main() {}
