//! The traits that events implement.

use crate::{dispatch::flow::Flow, events::info::EventInfo, protocol::stanza_error::StanzaError};

/// The payload type of an event. [`Payload::Of`] has a lifetime, so that a payload may borrow.
pub trait Payload: 'static {
    /// The payload type that borrows for `'p`.
    type Of<'p>: Send;
}

/// An event: a type of [`events`](crate::events), or a type declared with
/// [`#[event]`](macro@crate::event).
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an event",
    label = "not an event",
    note = "catalogue events are in `event_core::events`; declare your own with `#[event(\"name\", kind = \"…\")]`"
)]
pub trait Event {
    /// The payload that handlers get.
    type Payload: Payload;

    /// The name, the family and the documentation.
    const INFO: &'static EventInfo;

    /// The event's index in the dispatch tables.
    #[doc(hidden)]
    fn id() -> EventId;
}

/// An event that is its own payload, for [`Context::fire`](crate::Context::fire).
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an event that a module can fire",
    label = "not an event",
    note = "declare the struct with `#[event(\"name\", kind = \"…\")]`"
)]
pub trait Fire<'p>: Event {
    /// The payload that handlers get.
    #[doc(hidden)]
    fn payload(&mut self) -> &mut <Self::Payload as Payload>::Of<'p>;
}

/// The result of firing an event.
#[derive(Debug)]
pub struct Fired<E> {
    /// The event as handlers have changed it.
    pub event: E,
    /// [`Flow::Handled`] when a handler stopped the chain.
    pub flow: Flow,
    /// The error that a handler returned.
    pub error: Option<StanzaError>,
}

/// The index of an event's chain in a dispatch table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[doc(hidden)]
pub struct EventId(pub u16);
