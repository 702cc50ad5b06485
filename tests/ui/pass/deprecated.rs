//! Deprecated modules, options and events, in a crate that denies warnings.

#![deny(warnings)]

use event_core::prelude::*;

mod old {
    use event_core::prelude::*;

    /// Keeps.
    #[deprecated]
    #[module]
    pub struct Old;
}

/// Keeps, too.
#[module]
pub struct Archive {
    /// For how many days.
    #[deprecated(note = "use `hours`")]
    pub days: Option<u32>,
    /// For how many hours.
    #[option(default = 24)]
    hours: u32,
}

#[hook("message/bare")]
fn look(_: &Message, cx: &Context<Archive>) {
    let _ = cx.hours;
}

/// Kept.
#[deprecated = "nobody asked for it"]
#[event("kept", kind = "notification")]
pub struct Kept<'a>(pub &'a str);

fn main() {}
