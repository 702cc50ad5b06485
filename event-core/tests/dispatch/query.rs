//! Requests of handlers and their answers.

use std::time::Duration;

use event_core::{Host as CoreHost, QueryError, prelude::*, testing};

use crate::{attribute, note, noted, romeo, server, told};

/// Sends a request to the address in a message's id while the message's chain runs.
#[module(name = "asks")]
struct Asks;

fn request(to: &str, namespace: &str) -> Element {
    let query = ElementBuilder::new("query", namespace).build();
    let iq = ElementBuilder::new("iq", STANZA_NS).attribute("type", "get");
    iq.attribute("to", to).child(&query).build()
}

fn result_of(answer: Result<Iq, QueryError>) -> String {
    match answer {
        Ok(iq) => format!("result from {}", iq.from().unwrap()),
        Err(QueryError::Refused(iq)) => crate::kind(iq.element()),
        Err(QueryError::Timeout) => "timeout".into(),
        Err(error) => error.to_string(),
    }
}

#[hook("message/host", priority = 10)]
async fn ask(message: &mut Message, cx: &Context<Asks>) -> Flow {
    let to = message.id().unwrap().into_owned();
    let namespace =
        message.element().attribute("ask").unwrap_or_else(|| "jabber:iq:version".into());
    note(format!("asks {to}"));
    note(result_of(cx.query(request(&to, &namespace)).await));
    Flow::Handled
}

#[hook("presence/host", priority = 10)]
fn ask_beside(_: &mut Presence, cx: &Context<Asks>) -> Flow {
    let asker = cx.clone();
    cx.spawn(async move {
        for namespace in ["jabber:iq:version", "jabber:iq:last", "jabber:iq:private"] {
            note(result_of(asker.query(request("localhost", namespace)).await));
        }
    });
    Flow::Handled
}

#[hook("iq-get/host/jabber:iq:version:query")]
fn returns(iq: &mut Iq) -> Reply {
    iq.reply()
}

#[hook("iq-get/host/jabber:iq:last:query")]
fn sends(iq: &mut Iq, cx: &Context<Asks>) -> Flow {
    cx.send(iq.reply());
    Flow::Handled
}

#[hook("iq-get/host/jabber:iq:private:query")]
fn later(iq: &mut Iq, cx: &Context<Asks>) -> Flow {
    let later = cx.answer_later(iq);
    cx.after(Duration::from_secs(1), async { later.reply() });
    Flow::Handled
}

#[hook("iq/full", priority = -1)]
fn deliver(iq: &mut Iq, cx: &Context<Asks>) -> Result<Flow, StanzaError> {
    let to = iq.to().unwrap().clone().try_into_full().unwrap();
    let is_there = cx.deliver(&to, iq.element().clone());
    if is_there { Ok(Flow::Handled) } else { Err(StanzaError::recipient_unavailable()) }
}

#[hook("iq/host")]
fn see(iq: &Iq) {
    if !iq.iq_type().is_request() {
        note("an answer passed the events");
    }
}

#[hook("pre-iq/host")]
fn see_before(_: &mut Iq) {
    note("an iq of a client passed the events");
}

#[test]
fn a_handler_may_query_the_client_whose_stanza_it_handles() {
    testing::run(async {
        let server = server(&["asks"]).await;
        let romeo = romeo(&server).await;
        let asking = romeo.send("<message to='localhost' id='romeo@localhost/orchard'/>");
        let answering = async {
            let request = loop {
                tokio::task::yield_now().await;
                if let Some(request) = romeo.next() {
                    break request;
                }
            };
            assert_eq!(attribute(&request, "from"), "localhost");
            let id = attribute(&request, "id");
            assert_eq!(noted(), ["asks romeo@localhost/orchard"]);
            romeo.send(&format!("<iq type='result' id='{id}' to='localhost'/>")).await;
        };
        tokio::join!(asking, answering);
        assert_eq!(
            noted(),
            ["result from romeo@localhost/orchard"],
            "the answer must fire no event"
        );
        assert_eq!(told(&romeo), "");
    });
}

#[test]
fn only_the_queried_address_can_answer() {
    testing::run(async {
        let server = server(&["asks"]).await;
        let romeo = romeo(&server).await;
        let tybalt = server.session("tybalt@localhost/street").await;
        let asking = romeo.send("<message to='localhost' id='romeo@localhost/orchard'/>");
        let answering = async {
            server.settle().await;
            let id = attribute(&romeo.next().unwrap(), "id");
            noted();
            // Stanzas from another address, to another address, with another id, and a request.
            tybalt.send(&format!("<iq type='result' id='{id}' to='localhost'/>")).await;
            tybalt
                .send(&format!(
                    "<iq type='result' id='{id}' to='localhost' from='romeo@localhost/orchard'/>"
                ))
                .await;
            assert_eq!(noted().len(), 4, "forged answers must fire events");
            for iq in [
                format!("<iq type='result' id='{id}'/>"),
                "<iq type='result' id='other' to='localhost'/>".to_owned(),
                format!("<iq type='get' id='{id}' to='localhost'><query xmlns='urn:x'/></iq>"),
            ] {
                romeo.send(&iq).await;
                assert!(!noted().iter().any(|line| line.starts_with("result")), "{iq}");
            }
            romeo
                .send(&format!("<iq type='error' id='{id}' to='localhost'><error type='cancel'><gone xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>"))
                .await;
        };
        tokio::join!(asking, answering);
        assert_eq!(noted(), ["gone"]);
    });
}

#[test]
fn a_query_without_an_answer_ends_with_an_error() {
    testing::run(async {
        let server = server(&["asks"]).await;
        let romeo = romeo(&server).await;
        let started = tokio::time::Instant::now();
        romeo.send("<message to='localhost' id='romeo@localhost/orchard'/>").await;
        assert_eq!(noted()[1..], ["timeout"]);
        assert_eq!(started.elapsed(), CoreHost::QUERY_TIMEOUT);
        for (to, expected) in [
            ("romeo@localhost/gone", "recipient-unavailable"),
            ("romeo@localhost", "service-unavailable"),
            ("juliet@elsewhere.example", "remote-server-not-found"),
            ("@", "not an iq request with a `to`"),
        ] {
            romeo.send(&format!("<message to='localhost' id='{to}'/>")).await;
            assert_eq!(noted()[1..], [expected], "{to}");
        }
    });
}

#[test]
fn modules_of_one_host_query_each_other() {
    testing::run(async {
        let server = server(&["asks"]).await;
        let romeo = romeo(&server).await;
        for namespace in ["jabber:iq:version", "jabber:iq:last", "jabber:iq:private"] {
            let started = tokio::time::Instant::now();
            romeo
                .send(&format!("<message to='localhost' id='localhost' ask='{namespace}'/>"))
                .await;
            assert_eq!(noted()[1..], ["result from localhost"], "{namespace}");
            assert!(started.elapsed() < Duration::from_secs(2), "{namespace}");
        }
        assert_eq!(told(&romeo), "");
    });
}

#[test]
fn a_task_of_a_module_queries_another_module() {
    testing::run(async {
        let server = server(&["asks"]).await;
        romeo(&server).await.send("<presence to='localhost'/>").await;
        server.advance(Duration::from_secs(2)).await;
        assert_eq!(noted(), ["result from localhost"; 3]);
    });
}

#[test]
fn hosts_of_one_server_query_each_other() {
    testing::run(async {
        let server = testing::host("localhost").module("asks").host("other.example");
        let server = server.module("asks").start().await.unwrap();
        let romeo = romeo(&server).await;
        for namespace in ["jabber:iq:version", "jabber:iq:last", "jabber:iq:private"] {
            romeo
                .send(&format!("<message to='localhost' id='other.example' ask='{namespace}'/>"))
                .await;
            assert_eq!(noted()[1..], ["result from other.example"], "{namespace}");
        }
    });
}
