//! What an event is to the compiler: a type with a name, a payload and a family.

use crate::{dispatch::flow::Flow, events::info::EventInfo, protocol::stanza_error::StanzaError};

/// A family of payload types, one for each lifetime that a payload may borrow for.
pub trait Payload: 'static {
    /// The payload that borrows for `'p`.
    type Of<'p>: Send;
}

/// An event: those of the catalogue in [`events`](crate::events), or one declared with
/// [`#[event]`](macro@crate::event).
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an event",
    label = "not an event",
    note = "catalogue events are in `event_core::events`; declare your own with `#[event(\"name\", kind = \"…\")]`"
)]
pub trait Event {
    /// What its handlers are given.
    type Payload: Payload;

    /// Name, family and documentation.
    const INFO: &'static EventInfo;

    /// The event's place in the dispatch tables.
    #[doc(hidden)]
    fn id() -> EventId;
}

/// An event whose payload is the event itself, so that [`Context::fire`](crate::Context::fire)
/// takes it.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an event that a module can fire",
    label = "not an event",
    note = "declare the struct with `#[event(\"name\", kind = \"…\")]`"
)]
pub trait Fire<'p>: Event {
    /// The payload that handlers see.
    #[doc(hidden)]
    fn payload(&mut self) -> &mut <Self::Payload as Payload>::Of<'p>;
}

/// An event after it was fired.
#[derive(Debug)]
pub struct Fired<E> {
    /// The event, with whatever handlers put into it.
    pub event: E,
    /// `Handled` when a handler of a chain stopped it.
    pub flow: Flow,
    /// What a handler of a chain refused it with.
    pub error: Option<StanzaError>,
}

/// Where an event's chain stands in a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[doc(hidden)]
pub struct EventId(pub u16);
