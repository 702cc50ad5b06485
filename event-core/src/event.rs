//! What an event is to the compiler: a type with a name, a payload and a family.

use std::sync::atomic::{AtomicU16, Ordering};

pub use event_catalogue::{Family, Scope};

use crate::{Flow, Reply, StanzaError, StreamError, flow::Outcome};

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

/// An event that a crate declared with [`#[event]`](macro@crate::event).
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an event",
    label = "not an event",
    note = "declare it with `#[event(\"name\", kind = \"…\")]`; Spondee's own events are named as strings, `\"message/bare\"`, or by their types, `events::MessageBare`"
)]
#[doc(hidden)]
pub trait DeclaredEvent: Event {
    /// Notification, collect or chain.
    type Kind;
    /// The event again: what the expansion asks of it goes through here, so that a type that is no
    /// event is one error.
    type Itself: DeclaredEvent<Kind = Self::Kind>;
}

/// That a path which ends in the name of a catalogue event is that event.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not Spondee's event `{E}`",
    label = "another type of that name",
    note = "write `events::…` for Spondee's own, or give your event another name"
)]
#[doc(hidden)]
pub trait Same<E> {
    const SAME: () = ();
}

impl<E> Same<E> for E {}

/// How the handlers of a declared event see its payload: `&P` or `&mut P`, by its kind.
#[diagnostic::on_unimplemented(
    message = "a handler of `{E}` does not take `{Self}`",
    label = "not how this event is seen",
    note = "a notification gives `&{E}`, a collect or chain event `&mut {E}`"
)]
#[doc(hidden)]
pub trait PayloadOf<'a, 'p, E: Event>: Sized {
    fn view(payload: &'a mut <E::Payload as Payload>::Of<'p>) -> Self;
}

/// Where a hook's event is in error, what its handler takes is open between these two, and so no
/// second error. Neither is a declared event: they are never called.
macro_rules! open {
    ($($event:ident)*) => {$(
        #[diagnostic::do_not_recommend]
        impl<T> PayloadOf<'_, '_, crate::events::$event> for T {
            fn view(_: &mut crate::Message) -> Self {
                unreachable!("the event is not a declared one")
            }
        }
    )*};
}

open!(MessageBare MessageFull);

/// What handlers may return: the kinds of declared events, and the other families.
#[doc(hidden)]
pub mod kind {
    #[derive(Debug)]
    pub enum Notification {}
    #[derive(Debug)]
    pub enum Collect {}
    #[derive(Debug)]
    pub enum Chain {}
    #[derive(Debug)]
    pub enum Veto {}
    #[derive(Debug)]
    pub enum Answer {}
    #[derive(Debug)]
    pub enum Stream {}
}

/// What the handlers of a kind of event may return.
#[diagnostic::on_unimplemented(
    message = "a handler of this event cannot return `{Self}`",
    label = "not a decision of this kind of event"
)]
#[doc(hidden)]
pub trait DecisionOf<K> {
    fn outcome(self) -> Outcome;
}

macro_rules! decisions {
    ($($kind:ident: $($decision:ty),*;)*) => {$($(
        impl DecisionOf<kind::$kind> for $decision {
            fn outcome(self) -> Outcome {
                Outcome::from(self)
            }
        }
    )*)*};
}

decisions! {
    Notification: ();
    Collect: ();
    Chain: (), Flow, Result<(), StanzaError>, Result<Flow, StanzaError>;
    Veto: (), Flow;
    Answer: (), Flow, Reply, Result<(), StanzaError>, Result<Flow, StanzaError>, Result<Reply, StanzaError>;
    Stream: (), Flow, Result<(), StreamError>, Result<Flow, StreamError>;
}

/// What a checked handler came to.
impl DecisionOf<Self> for Outcome {
    fn outcome(self) -> Outcome {
        self
    }
}

/// What the handlers of a declared event may return.
#[diagnostic::on_unimplemented(
    message = "a handler of `{E}` cannot return `{Self}`",
    label = "not a decision of this event",
    note = "handlers of notification and collect events return nothing; those of a chain `Flow`, nothing, or a `Result` of these with `StanzaError`"
)]
#[doc(hidden)]
pub trait DeclaredDecision<E> {
    fn outcome(self) -> Outcome;
}

#[diagnostic::do_not_recommend]
impl<E: DeclaredEvent, R: DecisionOf<E::Kind>> DeclaredDecision<E> for R {
    fn outcome(self) -> Outcome {
        DecisionOf::outcome(self)
    }
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

/// Where an event's chain stands in a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[doc(hidden)]
pub struct EventId(pub u16);

/// The id of a declared event, given out when the registry is read.
#[derive(Debug)]
#[doc(hidden)]
pub struct EventCell(AtomicU16);

impl EventCell {
    #[allow(clippy::new_without_default, reason = "only ever made in a static")]
    pub const fn new() -> Self {
        Self(AtomicU16::new(u16::MAX))
    }

    pub fn get(&self) -> EventId {
        EventId(self.0.load(Ordering::Relaxed))
    }

    pub(crate) fn set(&self, id: EventId) {
        self.0.store(id.0, Ordering::Relaxed);
    }
}
