//! Reloads of the configuration.

use std::{sync::Arc, time::Duration};

use event_core::{SessionState, prelude::*, testing};
use tokio::sync::Notify;

use crate::{note, noted};

/// A service that one module offers to others.
trait Greeter: Send + Sync {
    fn greet(&self) -> &'static str;
}

mod keeper {
    use super::*;

    /// Keeps a counter, offers a service, and may be slow.
    #[module(name = "reload_keeper", state = State)]
    pub(super) struct Keeper {
        #[serde(default)]
        word: String,
        #[serde(default)]
        fail: String,
        #[serde(default)]
        panics: bool,
        #[serde(default)]
        hangs: bool,
    }

    pub(super) struct State {
        host: Arc<Host>,
        count: std::sync::atomic::AtomicU64,
        pub(super) go_on: Arc<Notify>,
    }

    struct Hello;

    impl Greeter for Hello {
        fn greet(&self) -> &'static str {
            "hello"
        }
    }

    impl ModuleState<Keeper> for State {
        async fn start(host: &HostContext, options: &Keeper) -> Result<Self, StartError> {
            assert!(!options.panics, "as asked");
            if options.hangs {
                std::future::pending::<()>().await;
            }
            host.provide::<dyn Greeter>(Arc::new(Hello));
            let go_on = Arc::<Notify>::default();
            host.provide(Arc::clone(&go_on));
            note(format!("keeper starts on {}", host.name()));
            match options.fail.as_str() {
                "" => Ok(Self { host: Arc::clone(host.host()), count: 0.into(), go_on }),
                reason => Err(StartError::Other(reason.into())),
            }
        }

        async fn reload(&self, old: &Keeper, new: &Keeper) {
            note(format!("keeper reloads {:?} to {:?}", old.word, new.word));
        }

        async fn stop(&self) {
            note(format!("keeper stops on {}", self.host.name()));
        }
    }

    #[hook("pre-message/host", priority = 5)]
    async fn hold(message: &mut Message, cx: &Context<Keeper>) {
        if message.type_().as_deref() == Some("groupchat") {
            note("holds");
            cx.state().go_on.notified().await;
        }
    }

    #[hook("message/host", priority = 5)]
    async fn count(message: &mut Message, cx: &Context<Keeper>) -> Flow {
        let count = cx.state().count.fetch_add(1, std::sync::atomic::Ordering::Relaxed) + 1;
        if message.type_().as_deref() == Some("headline") {
            note("waits");
            cx.state().go_on.notified().await;
        }
        note(format!("{} {count}", cx.word));
        Flow::Handled
    }

    #[hook("server-stopping")]
    fn global(_: &ServerStopping, cx: &Context<Keeper>) {
        note(format!("keeper of {} is told", cx.host().name()));
    }
}

mod asker {
    use super::*;

    /// Looks for the service in the module's start.
    #[module(name = "reload_asker", state = Asks)]
    struct Asker {}

    struct Asks;

    impl ModuleState<Asker> for Asks {
        async fn start(host: &HostContext, _: &Asker) -> Result<Self, StartError> {
            note(format!("asker finds {:?}", host.service::<dyn Greeter>().map(|one| one.greet())));
            Ok(Self)
        }
    }

    #[hook("resource-unbind")]
    fn gone(unbind: &ResourceUnbind) {
        note(format!("unbound: {}", unbind.error.as_deref().unwrap_or("no reason")));
    }
}

const A: &str = "a.example";

fn changes(reloaded: &event_core::Reloaded) -> Vec<String> {
    reloaded.changes.iter().map(ToString::to_string).collect()
}

#[test]
fn modules_are_enabled_and_disabled_while_a_session_stays() {
    testing::run(async {
        let server = testing::host(A).module("reload_asker").start().await.unwrap();
        assert_eq!(noted(), ["asker finds None"]);
        let juliet = server.session("juliet@a.example/x").await;
        let send = async || juliet.send("<message to='a.example'><body>x</body></message>").await;
        send().await;
        assert!(noted().is_empty());

        let with =
            |options| testing::host(A).module("reload_asker").module_with("reload_keeper", options);
        let reloaded = server.reload(with("word = 'one'")).await.unwrap();
        assert_eq!(changes(&reloaded), ["host a.example: module reload_keeper enabled"]);
        send().await;
        send().await;
        assert_eq!(noted(), ["keeper starts on a.example", "one 1", "one 2"]);
        assert!(server.host().service::<dyn Greeter>().is_some());

        let reloaded = server.reload(with("word = 'two'")).await.unwrap();
        assert_eq!(changes(&reloaded), ["host a.example: options of module reload_keeper changed"]);
        send().await;
        assert_eq!(
            noted(),
            ["keeper reloads \"one\" to \"two\"", "two 3"],
            "the state must be kept"
        );
        let calls = |server: &testing::Harness| {
            let hooks = server.core().hooks(&server.host());
            let hook = hooks.iter().find(|line| line.hook.event == "message/host").unwrap();
            (hook.stats.calls, hook.stats.handled)
        };
        assert_eq!(calls(&server), (3, 3), "the counters must be kept");

        assert!(changes(&server.reload(with("word = 'two'")).await.unwrap()).is_empty());
        assert_eq!(calls(&server), (3, 3));

        let reloaded = server.reload(testing::host(A).module("reload_asker")).await.unwrap();
        assert_eq!(changes(&reloaded), ["host a.example: module reload_keeper disabled"]);
        assert!(reloaded.ended(Duration::from_secs(1)).await);
        send().await;
        assert_eq!(noted(), ["keeper stops on a.example"]);
        assert!(
            server.host().service::<dyn Greeter>().is_none(),
            "the services of a stopped module must be gone"
        );
        assert!(juliet.closed().is_none());
        server.core().announce_stopping(Duration::from_secs(1)).await;
        assert!(noted().is_empty(), "a disabled module must not get global events");
    });
}

#[test]
fn a_module_stops_after_the_last_dispatch_that_reaches_it() {
    testing::run(async {
        let server = testing::host(A).module("reload_keeper").start().await.unwrap();
        let juliet = server.session("juliet@a.example/x").await;
        let go_on = server.host().service::<Notify>().unwrap();
        noted();
        let reload = async {
            server.settle().await;
            let reloaded = server.reload(testing::host(A)).await.unwrap();
            assert!(
                !reloaded.ended(Duration::from_secs(30)).await,
                "the module must not stop before its handler has ended"
            );
            assert_eq!(noted(), ["waits"]);
            go_on.notify_one();
        };
        tokio::join!(juliet.send("<message to='a.example' type='headline'/>"), reload);
        server.settle().await;
        assert_eq!(noted(), [" 1", "keeper stops on a.example"]);
    });
}

#[test]
fn a_stanza_is_dispatched_by_one_table_of_a_host() {
    testing::run(async {
        let with = |options| testing::host(A).module_with("reload_keeper", options);
        let server = with("word = 'one'").start().await.unwrap();
        let juliet = server.session("juliet@a.example/x").await;
        let go_on = server.host().service::<Notify>().unwrap();
        noted();
        let reload = async {
            server.settle().await;
            server.reload(with("word = 'two'")).await.unwrap();
            go_on.notify_one();
        };
        tokio::join!(juliet.send("<message to='a.example' type='groupchat'/>"), reload);
        juliet.send("<message to='a.example'/>").await;
        assert_eq!(noted(), ["holds", "keeper reloads \"one\" to \"two\"", "one 1", "two 2"]);
    });
}

#[test]
fn a_failed_reload_changes_nothing() {
    testing::run(async {
        let server = testing::host(A).module_with("reload_keeper", "word = 'old'").start().await;
        let server = server.unwrap();
        let juliet = server.session("juliet@a.example/x").await;
        noted();
        let wrong = |options| {
            let a = testing::host(A).module_with("reload_keeper", "word = 'new'");
            let a = a.module("reload_asker").settings(|settings| settings.allow_plaintext = true);
            a.host("b.example")
                .module("reload_keeper")
                .host("c.example")
                .module_with("reload_keeper", options)
        };
        for (options, expected) in [
            ("fail = 'no disk'", "module `reload_keeper` did not start on `c.example`: no disk"),
            (
                "panics = true",
                "module `reload_keeper` did not start on `c.example`: the start panicked: as asked",
            ),
            (
                "hangs = true",
                "module `reload_keeper` did not start on `c.example`: the start took more than 60 seconds",
            ),
        ] {
            let error = server.reload(wrong(options)).await.unwrap_err();
            assert_eq!(error.to_string(), expected);
            let mut expected = vec!["asker finds Some(\"hello\")", "keeper starts on b.example"];
            if options.starts_with("fail") {
                expected.push("keeper starts on c.example");
            }
            expected.push("keeper stops on b.example");
            assert_eq!(noted(), expected);
        }
        let error = server.reload(wrong("wrod = 1")).await.unwrap_err();
        assert!(error.to_string().contains("wrod"), "{error}");
        assert!(noted().is_empty(), "no module may start");
        assert_eq!(server.core().hosts().len(), 1);
        assert!(!server.host().settings().allow_plaintext);
        juliet.send("<message to='a.example'/>").await;
        assert_eq!(noted(), ["old 1"]);
    });
}

#[test]
fn hosts_are_added_and_removed() {
    testing::run(async {
        let server = testing::host(A).module("reload_asker").start().await.unwrap();
        let juliet = server.session("juliet@a.example/x").await;
        let both = || {
            let b = testing::host(A).module("reload_asker").host("b.example");
            b.module("reload_keeper").module("reload_asker").prepare(|host| {
                note(format!("{} is prepared", host.name()));
            })
        };
        noted();
        let reloaded = server.reload(both()).await.unwrap();
        assert_eq!(changes(&reloaded), ["host b.example added"]);
        let expected =
            ["b.example is prepared", "keeper starts on b.example", "asker finds Some(\"hello\")"];
        assert_eq!(noted(), expected);
        server.core().announce_stopping(Duration::from_secs(1)).await;
        assert_eq!(noted(), ["keeper of b.example is told"], "the global table must have the host");
        let romeo = server.session("romeo@b.example/y").await;
        juliet.send("<message to='b.example'/>").await;
        assert_eq!(noted(), [" 1"]);

        let reloaded = server.reload(testing::host(A).module("reload_asker")).await.unwrap();
        assert_eq!(changes(&reloaded), ["host b.example removed"]);
        assert_eq!(reloaded.removed.len(), 1);
        server.settle().await;
        assert_eq!(romeo.closed().unwrap().unwrap().condition().as_str(), "host-gone");
        assert!(noted().is_empty(), "a module must run while its host has sessions");
        romeo.disconnect().await;
        assert!(reloaded.ended(Duration::from_secs(5)).await);
        assert_eq!(noted(), ["unbound: connection lost", "keeper stops on b.example"]);
        assert!(server.core().host("b.example").is_none());
        assert!(juliet.closed().is_none());
    });
}

#[test]
fn a_session_of_a_removed_host_cannot_bind_and_ends() {
    testing::run(async {
        let server = testing::host(A).host("b.example").module("reload_asker");
        let server = server.start().await.unwrap();
        let late = server.stream("b.example");
        let stays = server.session("romeo@b.example/y").await;
        noted();
        let reloaded = server.reload(testing::host(A)).await.unwrap();
        late.authenticate(&"juliet@b.example".parse().unwrap());
        assert!(late.bind(Some("z")).await.is_err());
        assert_eq!(late.session.state(), SessionState::Ended);
        assert!(reloaded.ended(Duration::from_secs(60)).await);
        assert_eq!(stays.session.state(), SessionState::Ended);
        assert_eq!(noted(), ["unbound: the host is gone"]);
    });
}

#[test]
fn concurrent_reloads_run_one_after_the_other() {
    testing::run(async {
        let server = testing::host(A).start().await.unwrap();
        let with =
            |word: &str| testing::host(A).module_with("reload_keeper", &format!("word = '{word}'"));
        let (one, two) = tokio::join!(server.reload(with("one")), server.reload(with("two")));
        assert_eq!(changes(&one.unwrap()), ["host a.example: module reload_keeper enabled"]);
        assert_eq!(
            changes(&two.unwrap()),
            ["host a.example: options of module reload_keeper changed"]
        );
        assert_eq!(noted(), ["keeper starts on a.example", "keeper reloads \"one\" to \"two\""]);
    });
}
