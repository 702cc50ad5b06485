//! Support for the events that crates declare with `#[event]`.

use std::sync::atomic::{AtomicU16, Ordering};

use crate::{
    dispatch::outcome::{Outcome, ReturnOf},
    events::{
        info::EventInfo,
        traits::{Event, EventId, Payload},
    },
};

/// An event that a crate declared with [`#[event]`](macro@crate::event).
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an event",
    label = "not an event",
    note = "declare it with `#[event(\"name\", kind = \"…\")]`; Spondee's own events are named as strings, `\"message/bare\"`, or by their types, `events::MessageBare`"
)]
#[doc(hidden)]
pub trait DeclaredEvent: Event {
    /// The kind of the event: notification, collect or chain.
    type Kind;
    /// Always `Self`. The expansion of `#[hook]` states all other bounds on this type, so that
    /// rustc reports one error for a type that is not an event.
    type Itself: DeclaredEvent<Kind = Self::Kind>;
}

/// Checks that a path which ends in the name of a catalogue event names that event: only `E` itself
/// implements `Same<E>`.
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

/// Converts the payload of a declared event to the argument of its handlers: `&P` or `&mut P`, by
/// the kind of the event.
#[diagnostic::on_unimplemented(
    message = "a handler of `{E}` does not take `{Self}`",
    label = "not how this event is seen",
    note = "a notification gives `&{E}`, a collect or chain event `&mut {E}`"
)]
#[doc(hidden)]
pub trait PayloadOf<'a, 'p, E: Event>: Sized {
    fn view(payload: &'a mut <E::Payload as Payload>::Of<'p>) -> Self;
}

/// Implements [`PayloadOf`] for every type and two catalogue events. When the event of a hook is in
/// error, rustc cannot choose between the two and so reports no second error for the handler's
/// argument. The implementations are never called: no `#[event]` declares the two events.
macro_rules! open {
    ($($event:ident)*) => {$(
        #[diagnostic::do_not_recommend]
        impl<T> PayloadOf<'_, '_, crate::events::$event> for T {
            fn view(_: &mut crate::protocol::stanza::Message) -> Self {
                unreachable!("a catalogue event is used as a declared event")
            }
        }
    )*};
}

open!(MessageBare MessageFull);

/// The types that handlers of a declared event may return.
#[diagnostic::on_unimplemented(
    message = "a handler of `{E}` cannot return `{Self}`",
    label = "not a decision of this event",
    note = "handlers of notification and collect events return nothing; those of a chain `Flow`, nothing, or a `Result` of these with `StanzaError`"
)]
#[doc(hidden)]
pub trait DeclaredReturn<E> {
    fn outcome(self) -> Outcome;
}

/// The id of a declared event; [`Registry::new`](crate::Registry::new) assigns the id.
#[derive(Debug)]
#[doc(hidden)]
pub struct EventCell(AtomicU16);

impl EventCell {
    #[allow(clippy::new_without_default, reason = "a cell is only constructed in a static")]
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

#[diagnostic::do_not_recommend]
impl<E: DeclaredEvent, R: ReturnOf<E::Kind>> DeclaredReturn<E> for R {
    fn outcome(self) -> Outcome {
        ReturnOf::outcome(self)
    }
}

/// The record that the expansion of `#[event]` submits.
#[derive(Debug)]
#[doc(hidden)]
pub struct EventRecord {
    pub info: &'static EventInfo,
    pub module_path: &'static str,
    pub id: &'static EventCell,
}

inventory::collect!(EventRecord);

/// The number of slots of a dispatch table: one for each event.
pub(crate) fn event_count() -> usize {
    event_catalogue::EVENTS.len() + inventory::iter::<EventRecord>.into_iter().count()
}
