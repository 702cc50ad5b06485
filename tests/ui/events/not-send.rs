//! The event is not `Send`.

use event_core::prelude::*;

#[event("room-joined", kind = "notification")]
pub struct Joined {
    pub who: std::rc::Rc<str>,
}

fn main() {}
