//! The events of the catalogue, one type each, named after the event in camel case.
//!
//! Each says when it fires and on what, what its handlers are given, who may stop it, and what
//! happens when nobody does. `docs/events.md` is made from these texts.

mod account;
mod component;
mod iq;
mod s2s;
mod server;
mod session;
mod stanza;
mod stream;

pub use account::*;
pub use component::*;
pub use iq::*;
pub use s2s::*;
pub use server::*;
pub use session::*;
pub use stanza::*;
pub use stream::*;

use crate::event::{EventInfo, FieldInfo};

/// The events that are their own payload.
pub mod payloads {
    pub use super::{account::*, component::*, s2s::*, server::*, session::*};
}

/// The id of a catalogue event, known when this crate is compiled.
pub(crate) const fn index_of(name: &str) -> u16 {
    let mut index = 0;
    while index < event_catalogue::EVENTS.len() {
        #[expect(clippy::indexing_slicing, reason = "index is below the length")]
        let event = &event_catalogue::EVENTS[index];
        if same(event.name, name) {
            return event.id;
        }
        index += 1;
    }
    panic!("the catalogue has no event of this name")
}

#[doc(hidden)]
pub const fn same(a: &str, b: &str) -> bool {
    a.len() == b.len() && crate::registry::encloses(a, b)
}

/// The catalogue's line of an event, checked against the type that declares it.
pub(crate) const fn info(
    name: &'static str,
    (marker, payload): (&'static str, &'static str),
    about: (&'static str, &'static [FieldInfo]),
    place: (&'static str, u32),
) -> EventInfo {
    #[expect(clippy::indexing_slicing, reason = "index_of gives an index of the table")]
    let event = &event_catalogue::EVENTS[index_of(name) as usize];
    assert!(same(event.marker, marker), "the catalogue names another type");
    assert!(same(event.payload, payload), "the catalogue names another payload");
    EventInfo::new(name, (event.family, event.scope), event.payload, about, place)
}

/// Declares event types: `Marker(Payload) = "name", "example handler";`.
macro_rules! events {
    (const $infos:ident; $(
        $(#[doc = $doc:literal])*
        $marker:ident($payload:ident) = $name:literal, $example:literal;
    )*) => {
        $(
            $(#[doc = $doc])*
            ///
            /// ```
            /// use event_core::prelude::*;
            /// # /// An example.
            /// # #[module]
            /// # struct Example {}
            #[doc = $example]
            /// ```
            #[derive(Debug)]
            pub enum $marker {}

            events!(@event $marker($payload) = $name, ($($doc)*), []);
        )*

        /// What is known of the events of this file.
        pub(crate) const $infos: &[&crate::EventInfo] =
            &[$(<$marker as crate::Event>::INFO),*];
    };
    (@event $marker:ident($payload:ident) = $name:literal, ($($doc:literal)*), [
        $($field:ident: $type:ty, ($($field_doc:literal)*);)*
    ]) => {
        impl crate::Event for $marker {
            type Payload = $payload;

            const INFO: &'static crate::EventInfo = &crate::events::info(
                $name,
                (stringify!($marker), stringify!($payload)),
                (
                    concat!($($doc, "\n"),*),
                    &[$(crate::event::FieldInfo {
                        name: stringify!($field),
                        type_: stringify!($type),
                        doc: concat!($($field_doc, "\n"),*),
                    }),*],
                ),
                (file!(), line!()),
            );

            fn id() -> crate::event::EventId {
                const ID: crate::event::EventId =
                    crate::event::EventId(crate::events::index_of($name));
                ID
            }
        }
    };
}

/// Declares events that are their own payload.
macro_rules! payload_events {
    (const $infos:ident; $(
        $(#[doc = $doc:literal])*
        $marker:ident { $($(#[doc = $field_doc:literal])* $field:ident: $type:ty,)* } = $name:literal, $example:literal;
    )*) => {
        $(
            $(#[doc = $doc])*
            ///
            /// ```
            /// use event_core::prelude::*;
            /// # /// An example.
            /// # #[module]
            /// # struct Example {}
            #[doc = $example]
            /// ```
            #[derive(Debug)]
            pub struct $marker {
                $($(#[doc = $field_doc])* pub $field: $type,)*
            }

            impl crate::event::Payload for $marker {
                type Of<'p> = Self;
            }

            impl<'p> crate::event::Fire<'p> for $marker {
                fn payload(&mut self) -> &mut Self {
                    self
                }
            }

            crate::events::events!(@event $marker($marker) = $name, ($($doc)*), [
                $($field: $type, ($($field_doc)*);)*
            ]);
        )*

        /// What is known of the events of this file.
        pub(crate) const $infos: &[&crate::EventInfo] =
            &[$(<$marker as crate::Event>::INFO),*];
    };
}

pub(crate) use {events, payload_events};

/// All events of the catalogue, in its order.
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
    assert!(count == event_catalogue::EVENTS.len(), "every event of the catalogue has a type here");
};
