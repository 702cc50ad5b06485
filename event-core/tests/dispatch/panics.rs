//! A panic of a handler does not leave the chain.

use event_core::{ChainStop, StopKind, prelude::*, testing};

use crate::{note, noted, romeo, server, told};

mod contained {
    use super::*;

    /// Panics in handlers of events whose next handler still runs.
    #[module(name = "panics_contained")]
    struct Contained;

    #[hook("resource-bind", priority = 3)]
    fn sync(_: &ResourceBind) {
        panic!("sync");
    }

    #[hook("resource-bind", priority = 2)]
    async fn asynchronous(_: &ResourceBind) {
        tokio::task::yield_now().await;
        panic!("at a poll");
    }

    #[hook("resource-bind", priority = 1)]
    async fn at_once(_: &ResourceBind) {
        panic!("{}", "at the first poll");
    }

    #[hook("resource-bind")]
    fn last(_: &ResourceBind) {
        note("bind");
    }

    #[hook("stream-features", priority = 1)]
    fn collect(event: &mut StreamFeatures) {
        event.features.push(ElementBuilder::new("a", "urn:a").build());
        panic!("half done");
    }

    #[hook("stream-features")]
    fn collect_last(event: &mut StreamFeatures) {
        event.features.push(ElementBuilder::new("b", "urn:b").build());
    }

    #[hook("message/bare")]
    fn observe(_: &Message) {
        panic!("an observer");
    }

    #[hook("message/bare")]
    async fn observe_slowly(_: &Message) {
        tokio::task::yield_now().await;
        panic!("an observer");
    }

    #[hook("message/bare", priority = -1)]
    fn deliver(_: &mut Message) -> Flow {
        note("delivered");
        Flow::Handled
    }

    #[hook("server-stopping", priority = 1)]
    fn stopping(_: &ServerStopping) {
        panic!("at the end");
    }

    #[hook("server-stopping")]
    fn stopping_last(_: &ServerStopping) {
        note("stopping");
    }

    /// A collect event.
    #[event("panics-collect", kind = "collect")]
    pub(super) struct Collect {
        pub(super) count: u32,
    }

    #[hook(Collect, priority = 1)]
    fn spill(event: &mut Collect) {
        event.count += 1;
        panic!("spilt");
    }

    #[hook(Collect)]
    fn pour(event: &mut Collect) {
        event.count += 1;
    }

    /// An event that can be stopped.
    #[event("panics-chain", kind = "chain")]
    pub(super) struct Chain;

    #[hook(Chain, priority = 1)]
    fn stop(_: &mut Chain) -> Flow {
        panic!("stopped");
    }

    #[hook(Chain)]
    fn never(_: &mut Chain) {
        note("never");
    }
}

mod stops {
    use super::*;

    /// Panics in handlers of events whose chain then stops.
    #[module(name = "panics_stops")]
    struct Stops;

    macro_rules! asynchronous {
        ($($event:tt $function:ident $payload:ident;)*) => {$(
            #[hook($event, priority = 10)]
            async fn $function(_: &mut $payload) {
                tokio::task::yield_now().await;
                panic!("after a while");
            }
        )*};
    }

    asynchronous! {
        "message/bare" message Message;
        "presence/bare" presence Presence;
        "iq/bare" iq Iq;
    }

    #[hook("message/bare", priority = 9)]
    fn never(_: &mut Message) {
        note("never");
    }

    #[hook("pre-resource-unbind")]
    fn keep(_: &mut PreResourceUnbind) -> Flow {
        panic!("cannot keep it");
    }

    #[hook("resource-unbind")]
    fn unbound(_: &ResourceUnbind) {
        note("unbind");
    }
}

#[test]
fn after_a_panic_the_next_notification_collect_or_observe_handler_runs() {
    testing::run(async {
        let server = server(&["panics_contained"]).await;
        let romeo = server.session("romeo@localhost/orchard").await;
        assert_eq!(noted(), ["bind"]);

        let features = StreamFeatures { session: romeo.session.clone(), features: Vec::new() };
        let features = server.fire(features).await.event.features;
        assert_eq!(features.iter().map(Element::name).collect::<Vec<_>>(), ["a", "b"]);

        romeo.send("<message to='juliet@localhost'/>").await;
        assert_eq!(noted(), ["delivered"]);
        assert_eq!(told(&romeo), "");
        let delivered = server.stops().pop().unwrap();
        assert_eq!(delivered.kind, StopKind::Handled);

        let collected = server.fire(contained::Collect { count: 0 }).await;
        assert_eq!(collected.event.count, 2);
        assert!(collected.error.is_none());

        server.core().announce_stopping(std::time::Duration::from_secs(1)).await;
        assert_eq!(noted(), ["stopping"]);

        let hooks = server.core().hooks(&server.host());
        let stats = |function: &str, event: &str| {
            let is = |line: &&event_core::HookListing| {
                line.hook.function == function && line.hook.event == event
            };
            let stats = hooks.iter().find(is).unwrap().stats;
            (stats.calls, stats.panics, stats.handled)
        };
        for function in ["sync", "asynchronous", "at_once"] {
            assert_eq!(stats(function, "resource-bind"), (1, 1, 0), "{function}");
        }
        assert_eq!(stats("last", "resource-bind"), (1, 0, 0));
        assert_eq!(stats("observe", "message/bare"), (1, 1, 0));
        assert_eq!(stats("observe_slowly", "message/bare"), (1, 1, 0));
        assert_eq!(stats("deliver", "message/bare"), (1, 0, 1));
        assert_eq!(stats("stopping", "server-stopping"), (1, 1, 0));
        assert_eq!(stats("stopping_last", "server-stopping"), (1, 0, 0));
    });
}

#[test]
fn after_a_panic_any_other_chain_stops_and_the_sender_gets_an_error() {
    testing::run(async {
        let server = server(&["panics_stops"]).await;
        let romeo = romeo(&server).await;
        let query = "<query xmlns='jabber:iq:version'/>";
        for (xml, expected) in [
            ("<message/>".to_owned(), "internal-server-error"),
            ("<message type='error'><x/></message>".to_owned(), ""),
            ("<presence/>".to_owned(), ""),
            (format!("<iq type='get' id='1'>{query}</iq>"), "internal-server-error"),
            (format!("<iq type='result' id='1'>{query}</iq>"), ""),
        ] {
            romeo.send(&xml).await;
            assert_eq!(told(&romeo), expected, "{xml}");
            let ChainStop { kind, .. } = server.stops().pop().unwrap();
            assert_eq!(kind, StopKind::Panicked, "{xml}");
        }
        assert!(noted().is_empty());
        // When the handler that would keep the session panics, the session ends.
        romeo.disconnect().await;
        assert_eq!(noted(), ["unbind"]);
        assert!(server.host().sessions().is_empty());
    });
}

#[test]
fn a_module_that_fires_a_chain_gets_the_panic_as_an_error() {
    testing::run(async {
        let server = server(&["panics_contained"]).await;
        let fired = server.fire(contained::Chain).await;
        assert_eq!(fired.flow, Flow::Handled);
        assert_eq!(fired.error.unwrap().condition().as_str(), "internal-server-error");
        assert!(noted().is_empty());
        assert_eq!(server.stops().pop().unwrap().event, "panics-chain");
    });
}
