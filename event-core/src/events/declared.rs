//! Events that crates declare with `#[event]`.

use std::sync::atomic::{AtomicU16, Ordering};

use crate::{
    dispatch::outcome::{DecisionOf, Outcome},
    events::traits::{Event, EventId, Payload},
};

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
            fn view(_: &mut crate::protocol::stanza::Message) -> Self {
                unreachable!("the event is not a declared one")
            }
        }
    )*};
}

open!(MessageBare MessageFull);

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

#[diagnostic::do_not_recommend]
impl<E: DeclaredEvent, R: DecisionOf<E::Kind>> DeclaredDecision<E> for R {
    fn outcome(self) -> Outcome {
        DecisionOf::outcome(self)
    }
}
