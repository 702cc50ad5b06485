//! The dispatch of a stanza allocates nothing.

#![allow(clippy::unwrap_used, reason = "tests and their helpers")]

use event_core::{
    prelude::*,
    testing::{self, bare::Bare},
};
use spondee_alloc_tests::{Counting, allocations};

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Handlers that read a stanza and continue the chain.
#[module(name = "lookers")]
struct Lookers;

macro_rules! lookers {
    ($($event:literal $payload:ident: $($function:ident)*;)*) => {$(
        lookers!(@each $event $payload $($function)*);
    )*};
    (@each $event:literal $payload:ident) => {};
    (@each $event:literal $payload:ident $function:ident $($rest:ident)*) => {
        #[hook($event, priority = 10)]
        fn $function(stanza: &mut $payload) -> Result<Flow, StanzaError> {
            stanza.to().ok_or_else(StanzaError::bad_request).map(|_| Flow::Continue)
        }
        lookers!(@each $event $payload $($rest)*);
    };
}

lookers! {
    "message/bare" Message: a b c d e f g h i j;
    "iq/host" Iq: k;
    "iq/host/jabber:iq:version:query" Iq: l;
    "iq-get/host/jabber:iq:version:query" Iq: m;
}

#[hook("iq/full", priority = 10)]
async fn waits(_: &mut Iq) -> Flow {
    Flow::Continue
}

fn with(test: impl FnOnce(&Bare)) {
    testing::run(async {
        let server = testing::host("localhost").module("lookers").start().await.unwrap();
        test(&Bare::new(&server));
    });
}

fn iq(to: &str) -> String {
    format!(
        "<iq from='romeo@localhost/x' to='{to}' id='1' type='get'><query xmlns='jabber:iq:version'/></iq>"
    )
}

#[test]
fn ten_sync_handlers_do_not_allocate() {
    with(|bare| {
        let message =
            "<message from='romeo@localhost/x' to='juliet@localhost'><body>hi</body></message>";
        let mut message = bare.message(message);
        // A chain allocates its counters when it is first fired.
        bare.route_message(&mut message);
        // Some of these dispatches are timed, and timing must not allocate either.
        for _ in 0..256 {
            assert_eq!(allocations(|| bare.route_message(&mut message)), (true, 0));
        }
    });
}

#[test]
fn finding_and_running_the_chain_of_an_iq_does_not_allocate() {
    with(|bare| {
        let mut iq = bare.iq(&iq("localhost"));
        assert_eq!(allocations(|| bare.look_up(&iq)), (true, 0));
        bare.route_iq(&mut iq);
        assert_eq!(allocations(|| bare.route_iq(&mut iq)), (true, 0));
    });
}

#[test]
fn an_async_handler_allocates_only_its_future() {
    with(|bare| {
        let mut iq = bare.iq(&iq("juliet@localhost/balcony"));
        bare.route_iq(&mut iq);
        assert_eq!(
            allocations(|| bare.route_iq(&mut iq)),
            (true, 1),
            "one allocation for the handler's future"
        );
        assert_eq!(allocations(|| "x".to_owned()).1, 1);
    });
}
