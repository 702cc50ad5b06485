//! The cascade of an iq: one chain of several events.

use event_core::{prelude::*, testing};

use crate::{note, noted, romeo, server, told};

/// Notes each event.
#[module(name = "steps")]
struct Steps;

macro_rules! steps {
    ($($event:tt $priority:literal $function:ident;)*) => {$(
        #[hook($event, priority = $priority)]
        fn $function(_: &mut Iq) {
            note(format!("{} {}", $event, $priority));
        }
    )*};
}

steps! {
    "iq-get/host/jabber:iq:private:query" 900 get_host;
    "iq-set/host/jabber:iq:private:query" 900 set_host;
    "iq/host/jabber:iq:private:query" 0 any_host;
    "iq/host/jabber:iq:private:query" 1 any_host_before;
    "iq/host/jabber:iq:last:query" 1 other_payload;
    "iq/host" 1 host;
    "iq/host" -1 host_last;
    "iq/bare" 1 bare;
    "iq/bare" -1 bare_last;
    "iq/self" 1 own;
    "iq/self" -1 own_last;
    "iq/self" 2 own_before;
    "iq/bare/jabber:iq:private:query" 5 any_bare;
    "iq/self/jabber:iq:private:query" 5 any_own;
    "iq/self/jabber:iq:private:query" 6 any_own_before;
    "iq-get/self/jabber:iq:private:query" 7 get_own;
    "iq-get/bare/jabber:iq:private:query" 7 get_bare;
    "iq-set/bare/jabber:iq:private:query" 7 set_bare;
    "iq/full" 3 full;
}

#[hook("iq/host")]
fn observe(_: &Iq) {
    note("iq/host 0");
}

macro_rules! answers {
    ($($event:tt $function:ident;)*) => {$(
        #[hook($event)]
        fn $function(_: &Iq) -> Flow {
            note($event);
            Flow::Continue
        }
    )*};
}

answers! {
    "iq-result/host/probe-1" result_host;
    "iq-error/host/probe-1" error_host;
    "iq-result/bare/probe-1" result_bare;
    "iq-result/self/probe-1" result_own;
    "iq-result/self/a/self" result_own_odd;
    "iq-result/bare/a/self" result_bare_odd;
}

fn steps(to: &str, kind: &str) -> Vec<String> {
    of(to, &format!("<iq id='x' type='{kind}' TO><query xmlns='jabber:iq:private'/></iq>"))
}

fn of(to: &str, xml: &str) -> Vec<String> {
    let to = if to.is_empty() { String::new() } else { format!("to='{to}'") };
    testing::run(async {
        let server = server(&["steps"]).await;
        romeo(&server).await.send(&xml.replace("TO", &to)).await;
        noted()
    })
}

#[test]
fn the_cascade_of_an_iq_to_a_host() {
    let before = ["iq/host 1", "iq/host 0"];
    let payload = ["iq/host/jabber:iq:private:query 1", "iq/host/jabber:iq:private:query 0"];
    for kind in ["get", "set"] {
        let typed = format!("iq-{kind}/host/jabber:iq:private:query 900");
        let steps = steps("localhost", kind);
        assert_eq!(steps[..2], before);
        assert_eq!(steps[2..4], payload);
        assert_eq!(steps[4..], [typed, "iq/host -1".to_owned()]);
    }
    let unknown = "<iq id='x' type='get' TO><query xmlns='urn:xmpp:nobody'/></iq>";
    assert_eq!(of("localhost", unknown), ["iq/host 1", "iq/host 0", "iq/host -1"]);
    let nearly = "<iq id='x' type='get' TO><other xmlns='jabber:iq:private'/></iq>";
    assert_eq!(of("localhost", nearly), ["iq/host 1", "iq/host 0", "iq/host -1"]);
}

#[test]
fn the_cascade_of_an_iq_to_an_account_and_to_the_sender() {
    assert_eq!(
        steps("juliet@localhost", "get"),
        [
            "iq/bare 1",
            "iq/bare/jabber:iq:private:query 5",
            "iq-get/bare/jabber:iq:private:query 7",
            "iq/bare -1"
        ]
    );
    for to in ["", "romeo@localhost"] {
        assert_eq!(
            steps(to, "get"),
            [
                "iq/self 2",
                "iq/bare 1",
                "iq/self 1",
                "iq/self/jabber:iq:private:query 6",
                "iq/bare/jabber:iq:private:query 5",
                "iq/self/jabber:iq:private:query 5",
                "iq-get/bare/jabber:iq:private:query 7",
                "iq-get/self/jabber:iq:private:query 7",
                "iq/bare -1",
                "iq/self -1",
            ]
        );
    }
    assert_eq!(steps("romeo@localhost", "set").len(), 9, "iq-set/self has no handler");
}

#[test]
fn an_iq_to_a_client_has_one_event() {
    assert_eq!(steps("juliet@localhost/balcony", "get"), ["iq/full 3"]);
    let answer = "<iq id='probe-1' type='result' TO/>";
    assert_eq!(of("juliet@localhost/balcony", answer), ["iq/full 3"]);
}

#[test]
fn answers_are_dispatched_by_id_only() {
    let result = "<iq id='probe-1' type='result' TO><query xmlns='jabber:iq:private'/></iq>";
    assert_eq!(
        of("localhost", result),
        ["iq/host 1", "iq/host 0", "iq-result/host/probe-1", "iq/host -1"]
    );
    assert_eq!(
        of("localhost", &result.replace("'result'", "'error'")),
        ["iq/host 1", "iq/host 0", "iq-error/host/probe-1", "iq/host -1"]
    );
    assert_eq!(
        of("localhost", &result.replace("probe-1", "probe-2")),
        ["iq/host 1", "iq/host 0", "iq/host -1"]
    );
    assert_eq!(
        of("juliet@localhost", result),
        ["iq/bare 1", "iq-result/bare/probe-1", "iq/bare -1"]
    );
    let own = |id: &str| {
        let bare = format!("iq-result/bare/{id}");
        let own = format!("iq-result/self/{id}");
        ["iq/self 2", "iq/bare 1", "iq/self 1", &bare, &own, "iq/bare -1", "iq/self -1"]
            .map(String::from)
    };
    assert_eq!(of("", result), own("probe-1"));
    // An id may look like an event name.
    assert_eq!(of("", &result.replace("probe-1", "a/self")), own("a/self"));
}

mod later {
    use std::{cell::RefCell, time::Duration};

    use event_core::AnswerLater;

    use super::*;

    thread_local! {
        pub(super) static LATER: RefCell<Option<AnswerLater>> = const { RefCell::new(None) };
    }

    /// Answers later.
    #[module(name = "later")]
    struct Later;

    #[hook("iq-get/host/jabber:iq:private:query")]
    fn keep(iq: &mut Iq, cx: &Context<Later>) -> Flow {
        LATER.set(Some(cx.answer_later(iq)));
        Flow::Handled
    }

    #[hook("iq-get/host/urn:xmpp:ping:ping")]
    fn soon(iq: &mut Iq, cx: &Context<Later>) -> Flow {
        let later = cx.answer_later(iq);
        cx.after(Duration::from_secs(5), async { later.reply() });
        Flow::Handled
    }

    #[hook("iq-get/host/jabber:iq:last:query")]
    fn forget(iq: &mut Iq, cx: &Context<Later>) -> Flow {
        drop(cx.answer_later(iq));
        Flow::Handled
    }

    #[hook("iq/full", priority = -1)]
    fn deliver(iq: &mut Iq, cx: &Context<Later>) -> Flow {
        let to = iq.to().unwrap().clone().try_into_full().unwrap();
        cx.deliver(&to, iq.element().clone());
        Flow::Handled
    }

    #[hook("iq-get/host/jabber:iq:version:query")]
    fn send(iq: &mut Iq, cx: &Context<Later>) -> Flow {
        cx.send(iq.reply());
        Flow::Handled
    }
}

async fn ask(client: &testing::Client, namespace: &str, tag: &str) -> String {
    let iq = format!("<iq id='x' type='get' to='localhost'><{tag} xmlns='{namespace}'/></iq>");
    client.send(&iq).await;
    told(client)
}

#[test]
fn a_handler_may_answer_later() {
    use std::time::Duration;

    testing::run(async {
        let server = server(&["later"]).await;
        let romeo = romeo(&server).await;
        assert_eq!(ask(&romeo, "jabber:iq:private", "query").await, "");
        later::LATER.take().unwrap().reply();
        assert_eq!(told(&romeo), "result");

        assert_eq!(ask(&romeo, "jabber:iq:private", "query").await, "");
        later::LATER.take().unwrap().error(&StanzaError::gone());
        assert_eq!(told(&romeo), "gone");

        assert_eq!(ask(&romeo, "urn:xmpp:ping", "ping").await, "");
        server.advance(Duration::from_secs(6)).await;
        assert_eq!(told(&romeo), "result");

        assert_eq!(ask(&romeo, "jabber:iq:last", "query").await, "internal-server-error");
        assert_eq!(
            ask(&romeo, "jabber:iq:version", "query").await,
            "result",
            "one answer must be sent"
        );
    });
}

#[test]
fn an_unanswered_request_may_outlive_the_server() {
    testing::run(async {
        let server = server(&["later"]).await;
        let romeo = romeo(&server).await;
        assert_eq!(ask(&romeo, "jabber:iq:private", "query").await, "");
        drop((server, romeo));
    });
    drop(later::LATER.take());
}

#[test]
fn malformed_requests_are_refused_before_any_event() {
    testing::run(async {
        let server = server(&["steps"]).await;
        let romeo = romeo(&server).await;
        for iq in [
            "<iq type='get' to='localhost'><x xmlns='urn:x'/></iq>",
            "<iq type='get' id='' to='localhost'><x xmlns='urn:x'/></iq>",
            "<iq type='what' id='1' to='localhost'><x xmlns='urn:x'/></iq>",
            "<iq id='1' to='localhost'><x xmlns='urn:x'/></iq>",
            "<iq type='get' id='1' to='localhost'/>",
            "<iq type='get' id='1' to='localhost'><x xmlns='urn:x'/><x xmlns='urn:x'/></iq>",
        ] {
            romeo.send(iq).await;
            assert_eq!(told(&romeo), "bad-request", "{iq}");
        }
        romeo.send("<iq type='get' id='1' to='@'><x xmlns='urn:x'/></iq>").await;
        assert_eq!(told(&romeo), "jid-malformed");
        assert!(noted().is_empty());
    });
}
