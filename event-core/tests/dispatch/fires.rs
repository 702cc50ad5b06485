//! A test fails when a module fires an event that its `#[module]` does not name.

use std::panic::{AssertUnwindSafe, catch_unwind};

use event_core::{prelude::*, testing};

use crate::{romeo, server};

mod quiet {
    use super::*;

    /// The names of the undeclared events.
    #[event("quiet-told", kind = "notification")]
    pub(super) struct Told;

    /// Says nothing of what it fires, but for one event.
    #[module(name = "quiet", state = Started, fires = [events::UserRegistered])]
    struct Quiet;

    struct Started(HostContext);

    impl ModuleState<Quiet> for Started {
        async fn start(host: &HostContext, _: &Quiet) -> Result<Self, StartError> {
            Ok(Self(host.clone()))
        }
    }

    #[hook("message/host", priority = 10)]
    async fn fire(message: &mut Message, cx: &Context<Quiet>) -> Result<Flow, StanzaError> {
        match message.id().as_deref() {
            Some("context") => drop(cx.fire(Told).await),
            Some("start") => drop(cx.state().0.fire(Told).await),
            Some("host") => drop(cx.with_host(cx.host()).fire(Told).await),
            Some("stanza") => {
                cx.fire_stanza::<events::MessageOfflineHandle>(message).await?;
            }
            Some("task") => {
                let later = cx.clone();
                cx.spawn(async move { drop(later.fire(Told).await) });
            }
            Some("core") => {
                let session = message.origin().session().cloned();
                let source = "quiet";
                cx.fire(UserRegistered { username: "x".into(), source, session }).await;
            }
            _ => {}
        }
        Ok(Flow::Handled)
    }
}

/// The panic of a test that sends a message with this id.
fn panic_of(id: &str) -> Option<String> {
    let test = || {
        testing::run(async {
            let server = server(&["quiet"]).await;
            let romeo = romeo(&server).await;
            romeo.send(&format!("<message id='{id}' to='localhost'/>")).await;
            server.settle().await;
        });
    };
    let panic = catch_unwind(AssertUnwindSafe(test)).err()?;
    Some(*panic.downcast::<String>().unwrap())
}

#[test]
fn an_event_that_the_module_does_not_name_fails_the_test() {
    for id in ["context", "start", "host", "task"] {
        let panic = panic_of(id).unwrap_or_default();
        let message = "module `quiet` fires `quiet-told`, which its attribute does not name\n  help: \
                       write `fires = [events::UserRegistered, Told]` in its `#[module]` at ";
        assert!(panic.starts_with(message), "{id}: {panic}");
    }
    let panic = panic_of("stanza").unwrap();
    assert!(panic.starts_with("module `quiet` fires `message/offline/handle`, "), "{panic}");
    assert!(panic.contains("[events::UserRegistered, events::MessageOfflineHandle]"), "{panic}");
}

#[test]
fn a_named_event_and_the_events_of_a_test_pass() {
    assert_eq!(panic_of("core"), None);
    testing::run(async {
        let server = server(&["quiet"]).await;
        server.fire(quiet::Told).await;
        server.context().fire(quiet::Told).await;
    });
}
