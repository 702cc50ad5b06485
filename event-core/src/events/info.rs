//! What is known of an event before anything runs.

use event_catalogue::{Family, Scope};

/// What is known of an event before anything runs.
#[derive(Debug)]
#[non_exhaustive]
pub struct EventInfo {
    /// Its name, with `XMLNS:TAG` or `ID` where a hook puts its own.
    pub name: &'static str,
    /// Decides what handlers take and return.
    pub family: Family,
    /// Whether it is fired on a host or for the whole server.
    pub scope: Scope,
    /// The name of the payload's type.
    pub payload: &'static str,
    /// Its documentation, as Markdown.
    pub doc: &'static str,
    /// What the payload is made of, where the event is its own.
    pub fields: &'static [FieldInfo],
    /// The source file that declares it.
    pub file: &'static str,
    /// The line there.
    pub line: u32,
}

impl EventInfo {
    #[doc(hidden)]
    pub const fn new(
        name: &'static str,
        (family, scope): (Family, Scope),
        payload: &'static str,
        (doc, fields): (&'static str, &'static [FieldInfo]),
        (file, line): (&'static str, u32),
    ) -> Self {
        Self { name, family, scope, payload, doc, fields, file, line }
    }
}

/// A field of an event that is its own payload.
#[derive(Clone, Copy, Debug)]
pub struct FieldInfo {
    /// Its name.
    pub name: &'static str,
    /// Its type, as it is written.
    pub type_: &'static str,
    /// Its documentation, as Markdown.
    pub doc: &'static str,
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
    a.len() == b.len() && crate::util::rust_path::encloses(a, b)
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
