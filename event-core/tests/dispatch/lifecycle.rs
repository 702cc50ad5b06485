//! The start and stop of modules, the beginning and end of sessions.

use std::{sync::Arc, time::Duration};

use event_core::{SessionState, prelude::*, testing};

use crate::{note, noted, server, told};

macro_rules! module {
    ($module:ident $name:literal) => {
        mod $module {
            use super::*;

            /// Notes the module's start and stop.
            #[module(name = $name, state = State)]
            struct Options {
                /// The error of the start, if not empty.
                #[serde(default)]
                fail: String,
                /// Whether the stop panics.
                #[serde(default)]
                panic: bool,
            }

            struct State(Arc<Host>, bool);

            impl ModuleState<Options> for State {
                async fn start(host: &HostContext, options: &Options) -> Result<Self, StartError> {
                    note(format!("{} starts on {}", $name, host.name()));
                    if options.fail.is_empty() {
                        Ok(Self(Arc::clone(host.host()), options.panic))
                    } else {
                        Err(StartError::Other(options.fail.clone()))
                    }
                }

                async fn stop(&self) {
                    tokio::task::yield_now().await;
                    note(format!("{} stops on {}", $name, self.0.name()));
                    assert!(!self.1, "as asked");
                }
            }

            #[hook("server-starting")]
            fn starting(_: &ServerStarting) {
                note(concat!($name, " starting"));
            }

            #[hook("server-stopped")]
            fn stopped(_: &ServerStopped) {
                note(concat!($name, " stopped"));
            }
        }
    };
}

module!(one "life_one");
module!(two "life_two");

#[test]
fn modules_start_in_order_before_any_event_and_stop_in_reverse_after_the_last() {
    testing::run(async {
        let server = testing::host("a.example").module("life_two").module("life_one");
        let server = server.host("b.example").module("life_one").start().await.unwrap();
        assert_eq!(
            noted(),
            [
                "life_two starts on a.example",
                "life_one starts on a.example",
                "life_one starts on b.example",
                "life_two starting",
                "life_one starting",
                "life_one starting"
            ]
        );
        server.runtime().stop().await;
        assert_eq!(
            noted(),
            [
                "life_two stopped",
                "life_one stopped",
                "life_one stopped",
                "life_one stops on b.example",
                "life_one stops on a.example",
                "life_two stops on a.example",
            ]
        );
        server.fire(ServerStarting {}).await;
        server.runtime().stop().await;
        assert!(noted().is_empty(), "a stopped module must not run or stop again");
    });
}

#[test]
fn a_panic_in_one_modules_stop_does_not_keep_others_from_stopping() {
    testing::run(async {
        let server = testing::host("localhost").module("life_one");
        let server = server.module_with("life_two", "panic = true").start().await.unwrap();
        noted();
        server.runtime().stop().await;
        assert_eq!(noted()[2..], ["life_two stops on localhost", "life_one stops on localhost"]);
    });
}

#[test]
fn started_modules_are_stopped_when_another_fails_to_start() {
    testing::run(async {
        let server = testing::host("a.example").module("life_one").host("b.example");
        let server = server.module("life_one").module_with("life_two", "fail = \"no disk\"");
        assert_eq!(
            server.start().await.unwrap_err().to_string(),
            "module `life_two` did not start on `b.example`: no disk"
        );
        assert_eq!(
            noted(),
            [
                "life_one starts on a.example",
                "life_one starts on b.example",
                "life_two starts on b.example",
                "life_one stops on b.example",
                "life_one stops on a.example",
            ]
        );
    });
}

#[test]
fn a_mistake_in_the_configuration_stops_the_start_before_any_module_starts() {
    testing::run(async {
        let start = async |server: testing::Builder| server.start().await.unwrap_err().to_string();
        let server = || testing::host("localhost").module("life_one");
        assert_eq!(
            start(server().module("life_tow")).await,
            "module `life_tow` of host `localhost` is not in this binary\n  help: did you mean `life_two`?"
        );
        assert!(start(server().module("weather_forecast")).await.ends_with(
            "\n  help: list the module's crate in the binary (`spondee::main(&[…])`), or remove the name from the configuration"
        ));
        assert_eq!(
            start(server().module("life_one")).await,
            "module `life_one` is enabled twice on `localhost`\n  help: remove one of the two from the host's `modules`"
        );
        assert_eq!(
            start(server().host("LOCALHOST")).await,
            "host `localhost` is configured twice\n  help: names that differ only in upper and lower case are the same host"
        );
        assert!(start(server().host("@")).await.starts_with("`@` is not a host name: "));
        let options = start(server().module_with("life_two", "fial = \"x\"")).await;
        assert!(
            options
                .starts_with("options of module `life_two` on `localhost`: unknown field `fial`"),
            "{options}"
        );
        let options = start(server().module_with("life_two", "panic = 1")).await;
        assert!(options.contains("invalid type: integer `1`, expected a boolean"), "{options}");
        assert!(noted().is_empty(), "no module may start");
    });
}

mod sessions {
    use super::*;

    /// Keeps the sessions of disconnected clients if the option says so.
    #[module(name = "life_sessions")]
    struct Keep {
        /// Whether to keep the sessions.
        #[serde(default)]
        keep: bool,
    }

    #[hook("pre-resource-unbind")]
    async fn keep(event: &mut PreResourceUnbind, cx: &Context<Keep>) -> Flow {
        note("pre-unbind");
        tokio::time::sleep(Duration::from_secs(1)).await;
        assert!(event.session.jid().is_some());
        if cx.keep { Flow::Handled } else { Flow::Continue }
    }

    #[hook("resource-unbind")]
    async fn unbound(event: &ResourceUnbind) {
        tokio::task::yield_now().await;
        assert_eq!(event.session.state(), SessionState::Ended);
        let error = event.error.as_deref().unwrap_or("left");
        note(format!("unbind {}: {error}", event.session.jid().unwrap()));
    }

    #[hook("resource-bind")]
    fn bound(event: &ResourceBind, cx: &Context<Keep>) {
        let jid = event.session.jid().unwrap();
        assert_eq!(cx.host().sessions().find(jid).as_ref(), Some(&event.session));
        note(format!("bind {jid}"));
    }
}

const JID: &str = "romeo@localhost/orchard";

#[test]
fn a_session_is_unbound_once() {
    testing::run(async {
        let server = server(&["life_sessions"]).await;
        let romeo = server.session(JID).await;
        romeo.disconnect().await;
        romeo.disconnect().await;
        let expected =
            [format!("bind {JID}"), "pre-unbind".into(), format!("unbind {JID}: connection lost")];
        assert_eq!(noted(), expected);
        assert!(server.host().sessions().is_empty());

        let romeo = server.session(JID).await;
        tokio::join!(romeo.disconnect(), romeo.disconnect());
        let unbinds = noted().iter().filter(|line| line.starts_with("unbind")).count();
        assert_eq!(unbinds, 1);
    });
}

#[test]
fn a_kept_session_stays_detached_until_it_is_ended() {
    testing::run(async {
        let server = testing::host("localhost").module_with("life_sessions", "keep = true");
        let server = server.start().await.unwrap();
        let romeo = server.session(JID).await;
        romeo.disconnect().await;
        assert_eq!(noted(), [format!("bind {JID}"), "pre-unbind".into()]);
        assert_eq!(romeo.session.state(), SessionState::Detached);
        assert!(server.host().sessions().find(romeo.session.jid().unwrap()).is_some());
        assert!(!romeo.session.send(&ElementBuilder::new("message", STANZA_NS).build()));
        assert_eq!(server.stops().last().unwrap().event, "pre-resource-unbind");

        server.context().end_session(&romeo.session, Some("not resumed")).await;
        assert_eq!(noted(), [format!("unbind {JID}: not resumed")]);
        assert!(server.host().sessions().is_empty());
    });
}

#[test]
fn a_new_session_replaces_the_old_one_on_its_resource() {
    testing::run(async {
        let server = testing::host("localhost").module_with("life_sessions", "keep = true");
        let server = server.start().await.unwrap();
        let old = server.session(JID).await;
        noted();
        let new = server.session(JID).await;
        let replaced = format!("unbind {JID}: replaced by a new session");
        assert_eq!(noted(), [replaced.clone(), format!("bind {JID}")]);
        assert_eq!(told(&old), "closed conflict");
        let jid = new.session.jid().unwrap();
        assert_eq!(server.host().sessions().find(jid).as_ref(), Some(&new.session));
        // The end of the old stream has no effect.
        old.disconnect().await;
        assert!(noted().is_empty());
        assert_eq!(server.host().sessions().len(), 1);

        // A session that is replaced while a handler keeps it stays ended.
        let newest = async {
            server.advance(Duration::ZERO).await;
            server.session(JID).await
        };
        let ((), newest) = tokio::join!(new.disconnect(), newest);
        assert_eq!(new.session.state(), SessionState::Ended);
        assert_eq!(server.host().sessions().find(jid).as_ref(), Some(&newest.session));
        assert_eq!(noted(), ["pre-unbind".into(), replaced, format!("bind {JID}")]);
    });
}

#[test]
fn a_session_that_fails_to_bind_has_no_resource() {
    testing::run(async {
        let server = server(&["life_sessions"]).await;
        let mut clients = Vec::new();
        for resource in 0..Host::MAX_RESOURCES {
            clients.push(server.session(&format!("romeo@localhost/{resource}")).await);
        }
        noted();
        let one_more = server.stream("localhost");
        let refused = one_more.bind(None).await.unwrap_err();
        assert_eq!(refused.condition().as_str(), "not-authorized");
        one_more.authenticate(clients[0].session.user().unwrap());
        let refused = one_more.bind(None).await.unwrap_err();
        assert_eq!(refused.condition().as_str(), "resource-constraint");
        assert!(one_more.session.jid().is_none());
        one_more.send("<message/>").await;
        assert_eq!(told(&one_more), "closed not-authorized");
        one_more.disconnect().await;
        assert!(noted().is_empty(), "no bind or unbind event may fire");

        clients.pop().unwrap().disconnect().await;
        noted();
        assert!(one_more.bind(None).await.is_err(), "an ended session must not bind");
        assert_eq!(server.host().sessions().len(), Host::MAX_RESOURCES - 1);
        let again = server.session("romeo@localhost/again").await;
        assert!(again.bind(Some("second")).await.is_err(), "a session must not bind twice");
    });
}
