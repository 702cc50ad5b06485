//! Effects of handlers: stanzas that they send and events that they fire.

use event_core::{Session, prelude::*, testing, toml};

use crate::{attribute, note, noted, romeo, server, told};

fn message(to: &str, id: &str) -> ElementBuilder {
    ElementBuilder::new("message", STANZA_NS).attribute("to", to).attribute("id", id)
}

/// The ids of the stanzas that a client received.
fn ids(client: &testing::Client) -> Vec<String> {
    client.received().iter().map(|element| attribute(element, "id")).collect()
}

mod outbox {
    use std::time::Duration;

    use super::*;
    use event_core::jid::{FullJid, Jid};

    /// Sends stanzas from handlers.
    #[module(name = "outbox")]
    struct Outbox;

    #[hook("message/host", priority = 10)]
    async fn send(message: &mut Message, cx: &Context<Outbox>) -> Result<Flow, StanzaError> {
        let from = message.from().unwrap().clone();
        let id = message.id().unwrap().into_owned();
        match &*id {
            "send" => {
                cx.send(super::message(from.as_str(), "first").build());
                tokio::task::yield_now().await;
                cx.send(super::message(from.as_str(), "second").build());
                note("sent");
            }
            "chain" => cx
                .send(super::message("localhost", "send").attribute("from", "x@localhost").build()),
            "deliver" => {
                cx.send(super::message(from.as_str(), "sent").build());
                let to = FullJid::try_from(from.clone()).unwrap();
                assert!(cx.deliver(&to, super::message(from.as_str(), "delivered").build()));
                assert!(!cx.deliver(
                    &FullJid::new("romeo@localhost/gone").unwrap(),
                    message.element().clone()
                ));
            }
            "refuse" => {
                cx.send(super::message(from.as_str(), "before").build());
                return Err(StanzaError::forbidden());
            }
            "stamp" => {
                for from_ in ["", "room@localhost/nick", "juliet@elsewhere.example"] {
                    let message = super::message(from.as_str(), "stamped");
                    cx.send(
                        if from_.is_empty() { message } else { message.attribute("from", from_) }
                            .build(),
                    );
                }
                // An element that is not a stanza, and a stanza without `to`, are dropped.
                cx.send(ElementBuilder::new("x", "urn:x").build());
                cx.send(ElementBuilder::new("message", STANZA_NS).build());
            }
            "many" => {
                cx.send(super::message(from.as_str(), "before").build());
                let many = super::message("nobody@localhost", "many").build();
                cx.send_to(&many, [from.clone(), from.clone()]);
                cx.send_to(&many, Vec::<Jid>::new());
                // An iq is dropped, because copies must be messages or presences.
                let iq = ElementBuilder::new("iq", STANZA_NS).attribute("type", "get");
                cx.send_to(&iq.build(), [from.clone()]);
                cx.send(super::message(from.as_str(), "after").build());
            }
            "spawn many" => {
                let (sender, from) = (cx.clone(), from.clone());
                cx.after(Duration::from_secs(1), async move {
                    let many = ElementBuilder::new("message", STANZA_NS);
                    let many = many.attribute("id", "many").build();
                    sender.send_to(&many, [from.clone(), from]);
                });
            }
            "spawn" => {
                let (sender, from) = (cx.clone(), from.clone());
                cx.after(Duration::from_secs(1), async move {
                    for id in ["one", "two", "three"] {
                        sender.send(super::message(from.as_str(), id).build());
                    }
                });
            }
            _ => {}
        }
        Ok(Flow::Handled)
    }

    #[hook("pre-message/full", priority = 10)]
    fn before(_: &mut Message) {
        note("pre");
    }

    #[hook("message/full", priority = -1)]
    fn deliver(message: &mut Message, cx: &Context<Outbox>) -> Flow {
        note(format!("deliver {}", message.id().unwrap()));
        let to = FullJid::try_from(message.to().unwrap().clone()).unwrap();
        cx.deliver(&to, message.element().clone());
        Flow::Handled
    }
}

fn outbox(ids: &[&str]) -> (Vec<String>, Vec<testing::Client>) {
    testing::run(async {
        let server = server(&["outbox"]).await;
        let romeo = romeo(&server).await;
        for id in ids {
            romeo.send(&format!("<message to='localhost' id='{id}'/>")).await;
        }
        server.advance(std::time::Duration::from_secs(2)).await;
        (noted(), vec![romeo])
    })
}

#[test]
fn sent_stanzas_are_routed_after_the_chain_and_before_the_next_stanza() {
    let (log, clients) = outbox(&["send", "deliver"]);
    assert_eq!(
        log,
        ["sent", "deliver first", "deliver second", "deliver sent"],
        "no pre-event may fire"
    );
    assert_eq!(ids(&clients[0]), ["first", "second", "delivered", "sent"]);
}

#[test]
fn an_answer_follows_stanzas_sent_before_it() {
    let (_, clients) = outbox(&["refuse"]);
    assert_eq!(ids(&clients[0]), ["before", "refuse"]);
}

#[test]
fn from_is_the_host_or_an_address_of_the_host() {
    let (_, clients) = outbox(&["stamp"]);
    let from: Vec<_> = clients[0].received().iter().map(|e| attribute(e, "from")).collect();
    assert_eq!(from, ["localhost", "room@localhost/nick", "localhost"]);
}

#[test]
fn stanzas_sent_outside_a_turn_are_routed_in_order() {
    let (_, clients) = outbox(&["spawn"]);
    assert_eq!(ids(&clients[0]), ["one", "two", "three"]);
    let (_, clients) = outbox(&["spawn many"]);
    assert_eq!(ids(&clients[0]), ["many", "many"]);
}

#[test]
fn copies_for_many_addresses_are_routed_as_other_stanzas() {
    let (log, clients) = outbox(&["many"]);
    assert_eq!(log, ["deliver before", "deliver many", "deliver many", "deliver after"]);
    let received = clients[0].received();
    for copy in received.iter().filter(|element| attribute(element, "id") == "many") {
        assert_eq!(attribute(copy, "from"), "localhost");
        assert_eq!(attribute(copy, "to"), "romeo@localhost/orchard");
    }
    assert_eq!(received.len(), 4);
}

mod endless {
    use std::cell::Cell;

    use super::*;

    thread_local! {
        pub(super) static COUNT: Cell<u32> = const { Cell::new(0) };
    }

    /// Sends each handled stanza again.
    #[module(name = "endless", fires = [Again])]
    struct Endless;

    #[hook("message/host", priority = 10)]
    fn send_again(message: &mut Message, cx: &Context<Endless>) -> Flow {
        COUNT.set(COUNT.get() + 1);
        cx.send(message.element().clone());
        Flow::Handled
    }

    /// An event that its own handler fires.
    #[event("endless-again", kind = "collect")]
    pub(super) struct Again {
        /// The number of times that the handler fires the event again.
        pub(super) left: u32,
        pub(super) errors: u32,
    }

    #[hook(Again)]
    async fn fire_again(event: &mut Again, cx: &Context<Endless>) {
        COUNT.set(COUNT.get() + 1);
        if event.left > 0 {
            let again = Box::pin(cx.fire(Again { left: event.left - 1, errors: 0 })).await;
            event.errors = again.event.errors + u32::from(again.error.is_some());
        }
    }

    #[hook("iq-get/host/jabber:iq:version:query")]
    async fn ask_again(iq: &mut Iq, cx: &Context<Endless>) -> Result<Reply, StanzaError> {
        COUNT.set(COUNT.get() + 1);
        let again = Box::pin(cx.query(iq.element().clone())).await;
        again.map_err(|_| StanzaError::gone()).map(|_| iq.reply())
    }
}

#[test]
fn stanzas_that_cause_each_other_endlessly_are_dropped_at_a_limit() {
    testing::run(async {
        let server = server(&["endless"]).await;
        let romeo = romeo(&server).await;
        endless::COUNT.set(0);
        romeo.send("<message to='localhost'/>").await;
        assert_eq!(endless::COUNT.get(), 100_001);
        romeo.send("<message to='juliet@localhost' id='1'/>").await;
        assert_eq!(told(&romeo), "service-unavailable", "the host must still handle stanzas");
    });
}

#[test]
fn a_handler_may_fire_its_own_event_to_a_depth() {
    testing::run(async {
        let server = server(&["endless"]).await;
        endless::COUNT.set(0);
        let fired = server.fire(endless::Again { left: 5, errors: 0 }).await;
        assert_eq!((endless::COUNT.get(), fired.event.errors), (6, 0));

        endless::COUNT.set(0);
        let fired = server.fire(endless::Again { left: 1_000_000, errors: 0 }).await;
        assert_eq!((endless::COUNT.get(), fired.event.errors), (32, 1));

        endless::COUNT.set(0);
        let romeo = romeo(&server).await;
        romeo
            .send("<iq type='get' id='1' to='localhost'><query xmlns='jabber:iq:version'/></iq>")
            .await;
        assert_eq!(told(&romeo), "gone");
        assert_eq!(endless::COUNT.get(), 33);
    });
}

mod reload {
    use super::*;

    /// Announces a new configuration while a message is handled.
    #[module(name = "reload")]
    struct Reload;

    #[hook("message/host", priority = 11)]
    async fn reload(message: &mut Message, cx: &Context<Reload>) {
        if message.id().as_deref() != Some("1") {
            return;
        }
        let config = toml::toml! { data = "elsewhere" };
        let event = ConfigReloaded { filename: None, format: "toml", config };
        cx.host_context().core().unwrap().announce_reload(event).await;
        note("reloaded");
    }

    #[hook("config-reloaded")]
    async fn reloaded(event: &ConfigReloaded, cx: &Context<Reload>) {
        tokio::task::yield_now().await;
        note(format!("{} {}", event.format, event.config["data"]));
        cx.send(message("localhost", "from-reload").build());
    }

    #[hook("message/host", priority = 10)]
    fn rest(message: &mut Message) -> Flow {
        note(format!("rest {}", message.id().unwrap()));
        Flow::Handled
    }
}

#[test]
fn the_configuration_may_be_reloaded_from_a_handler() {
    testing::run(async {
        let server = server(&["reload"]).await;
        romeo(&server).await.send("<message to='localhost' id='1'/>").await;
        assert_eq!(
            noted(),
            ["toml \"elsewhere\"", "rest from-reload", "reloaded", "rest 1"],
            "the interrupted dispatch must continue"
        );
    });
}

mod fired {
    use super::*;

    /// A notification.
    #[event("fired-looked", kind = "notification")]
    pub(super) struct Looked<'a> {
        /// A borrowed text.
        pub(super) at: &'a str,
    }

    /// An event that can be stopped.
    #[event("fired-may-look", kind = "chain")]
    pub(super) struct MayLook {
        pub(super) session: Option<Session>,
        pub(super) answer: &'static str,
    }

    /// Handles events declared by modules.
    #[module(name = "fired")]
    struct Fired;

    #[hook(Looked)]
    fn looked(event: &Looked<'_>) {
        note(event.at);
    }

    #[hook(MayLook)]
    async fn may_look(event: &mut MayLook) -> Result<Flow, StanzaError> {
        assert!(event.session.is_none());
        match event.answer {
            "" => Ok(Flow::Continue),
            "handled" => Ok(Flow::Handled),
            _ => Err(StanzaError::forbidden()),
        }
    }
}

#[test]
fn events_declared_by_modules_are_dispatched() {
    testing::run(async {
        let server = server(&["fired"]).await;
        let text = "the moon".to_owned();
        let fired = server.fire(fired::Looked { at: &text }).await;
        assert_eq!((fired.flow, noted()), (Flow::Continue, vec![text.clone()]));
        for (answer, flow, error) in [
            ("", Flow::Continue, None),
            ("handled", Flow::Handled, None),
            ("error", Flow::Handled, Some(StanzaError::forbidden())),
        ] {
            let fired = server.fire(fired::MayLook { session: None, answer }).await;
            let condition = |error: StanzaError| error.condition();
            assert_eq!((fired.flow, fired.error.map(condition)), (flow, error.map(condition)));
        }
        let decided: Vec<_> = server.stops().iter().map(|decision| decision.kind).collect();
        use event_core::StopKind::{Handled, Refused};
        assert_eq!(decided, [Handled, Refused]);
    });
}
