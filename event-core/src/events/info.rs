//! The static description of an event.

use event_catalogue::{Family, Scope};

/// The static description of an event.
#[derive(Debug)]
#[non_exhaustive]
pub struct EventInfo {
    /// The name, with a placeholder `XMLNS:TAG` or `ID` where a hook names a payload or an id.
    pub name: &'static str,
    /// The family, which decides what handlers take and return.
    pub family: Family,
    /// Whether the event fires on one host or for the whole server.
    pub scope: Scope,
    /// The name of the payload's type.
    pub payload: &'static str,
    /// The documentation, as Markdown.
    pub doc: &'static str,
    /// The fields of the payload, for an event that is its own payload.
    pub fields: &'static [FieldInfo],
    /// The source file of the declaration.
    pub file: &'static str,
    /// The line of the declaration.
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

    /// The event's type, as a module names it: `events::UserRegistered`, or the type of a declared
    /// event.
    pub fn type_name(&self) -> String {
        match event_catalogue::EVENTS.iter().find(|event| event.name == self.name) {
            Some(event) => format!("events::{}", event.marker),
            None => self.payload.to_owned(),
        }
    }
}

/// A field of an event that is its own payload.
#[derive(Clone, Copy, Debug)]
pub struct FieldInfo {
    /// The name.
    pub name: &'static str,
    /// The type as written in the source.
    pub type_: &'static str,
    /// The documentation, as Markdown.
    pub doc: &'static str,
}

/// The id of a catalogue event. An unknown name fails the compilation of this crate.
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

/// Whether two names are equal. Unlike `==`, the function can be used in a constant.
#[doc(hidden)]
pub const fn same(a: &str, b: &str) -> bool {
    a.len() == b.len() && crate::util::rust_path::encloses(a, b)
}

/// The description of a catalogue event. A type or payload that differs from the catalogue fails
/// the compilation of this crate.
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
