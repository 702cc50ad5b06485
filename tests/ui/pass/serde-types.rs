//! Types of options, public and deprecated, in a crate that denies lints.

#![deny(warnings, missing_docs, unreachable_pub, unused_qualifications)]

use event_core::{
    prelude::*,
    serde::{Deserialize, Serialize},
};

/// Bounds.
#[derive(Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct S {
    /// The most rooms.
    pub max_rooms: u32,
    /// Of parts.
    pub parts: Vec<Self>,
}

impl Default for S {
    fn default() -> Self {
        Self { max_rooms: 4, parts: Vec::new() }
    }
}

/// Who may enter.
#[derive(Deserialize, Serialize)]
#[deprecated]
pub enum Policy {
    /// Everybody.
    Open,
}

/// A pair.
#[derive(Deserialize, Serialize)]
pub struct Pair<'a, T: Clone> {
    /// The first.
    #[serde(borrow)]
    pub first: &'a str,
    /// The second.
    #[serde(default)]
    pub second: Vec<T>,
}

/// Rooms.
#[module]
pub struct Rooms {
    /// Bounds.
    #[serde(default)]
    limits: S,
}

#[hook("message/bare")]
fn look(_: &Message, cx: &Context<Rooms>) {
    let _ = cx.limits.max_rooms;
}

fn main() {}
