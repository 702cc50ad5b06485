//! The events of the catalogue: one type for each event.
//!
//! The documentation of each event says when and on which host the event fires, what its handlers
//! get, how a handler can stop the event, and what happens if no handler does. `docs/events.md` is
//! generated from the catalogue and this documentation.

mod account;
mod component;
pub(crate) mod declare;
pub(crate) mod declared;
pub(crate) mod fired;
pub(crate) mod info;
mod iq;
mod s2s;
mod server;
mod session;
mod stanza;
mod stream;
pub(crate) mod traits;

#[doc(hidden)]
pub use self::info::same;
pub use account::*;
pub use component::*;
pub use iq::*;
pub use s2s::*;
pub use server::*;
pub use session::*;
pub use stanza::*;
pub use stream::*;

use crate::events::info::{EventInfo, index_of};

/// The events whose type is the value that handlers get.
pub mod payloads {
    pub use super::{account::*, component::*, s2s::*, server::*, session::*};
}

/// All events of the catalogue, in the order of the catalogue.
pub fn all() -> Vec<&'static EventInfo> {
    let mut all: Vec<_> = FILES.iter().copied().flatten().copied().collect();
    all.sort_by_key(|info| index_of(info.name));
    all
}

const FILES: [&[&EventInfo]; 8] = [SERVER, SESSION, ACCOUNT, STANZA, IQ, STREAM, S2S, COMPONENT];

const _: () = {
    let (mut count, mut file) = (0, 0);
    while file < FILES.len() {
        #[expect(clippy::indexing_slicing, reason = "file is below the length")]
        let events = FILES[file];
        count += events.len();
        file += 1;
    }
    assert!(count == event_catalogue::EVENTS.len(), "an event of the catalogue has no type here");
};
