//! What `spondee hooks` says of handlers that never run in a configuration, or are passed by.

use event_core::{HookWarning, prelude::*, testing};

/// The warnings of a module's handlers, by function, on a host with these modules.
async fn warnings(of: &str, modules: &[&str]) -> Vec<(String, HookWarning)> {
    let server = crate::server(modules).await;
    let lines = server.core().hooks(&server.host());
    let lines = lines.into_iter().filter(|line| line.module == of);
    lines.filter_map(|line| Some((line.hook.function.to_owned(), line.warning?))).collect()
}

async fn texts(of: &str, modules: &[&str]) -> Vec<String> {
    let warnings = warnings(of, modules).await.into_iter();
    warnings.map(|(function, warning)| format!("{function} {warning}")).collect()
}

mod waits {
    use super::*;

    /// Waits for events of others.
    #[module(name = "warnings_waits")]
    struct Waits;

    #[event("warnings-told", kind = "notification")]
    pub(super) struct Told;

    #[event("warnings-never", kind = "notification")]
    struct Never;

    #[event("warnings-global", kind = "notification", scope = "global")]
    pub(super) struct Global;

    #[hook(Told)]
    fn told(_: &Told) {}

    #[hook(Never)]
    fn never(_: &Never) {}

    #[hook(Global)]
    fn global(_: &Global) {}

    #[hook("message/offline/handle")]
    fn catalogue(_: &mut Message) {}

    #[hook("user-deleted")]
    fn core(_: &UserDeleted) {}
}

mod tells {
    use super::*;

    /// Fires what `warnings_waits` waits for.
    #[module(
        name = "warnings_tells",
        fires = [waits::Told, waits::Global, events::MessageOfflineHandle]
    )]
    struct Tells;

    #[hook("server-started")]
    async fn tell(_: &ServerStarted, cx: &Context<Tells>) {
        cx.fire(waits::Told).await;
    }
}

#[test]
fn an_event_that_no_enabled_module_fires() {
    testing::run(async {
        let never = "never never runs: no module of this binary fires warnings-never";
        let found = texts("warnings_waits", &["warnings_waits"]).await;
        assert_eq!(found.len(), 4, "{found:#?}");
        let here = |event: &str| format!("nothing fires {event} here; module ");
        assert!(found.iter().any(|text| text == never), "{found:#?}");
        for event in ["warnings-told", "warnings-global", "message/offline/handle"] {
            let warning = found.iter().find(|text| text.contains(&here(event)));
            assert!(warning.is_some_and(|text| text.contains("warnings_tells")), "{found:#?}");
        }
        assert_eq!(texts("warnings_waits", &["warnings_waits", "warnings_tells"]).await, [never]);
    });
}

#[test]
fn a_global_event_may_come_from_another_host() {
    testing::run(async {
        let builder = testing::host("localhost").module("warnings_waits");
        let server = builder.host("other").module("warnings_tells").start().await.unwrap();
        let lines = server.core().hooks(&server.host());
        let warned = |function: &str| {
            let line = lines.iter().find(|line| line.hook.function == function).unwrap();
            line.warning.is_some()
        };
        assert_eq!((warned("global"), warned("told")), (false, true));
    });
}

mod answers {
    use super::*;

    /// Handlers before and behind handlers that always answer.
    #[module(name = "warnings_answers")]
    struct Answers;

    #[hook("iq-get/host/jabber:iq:register:query", priority = 2)]
    fn first(iq: &mut Iq) -> Reply {
        iq.reply()
    }

    #[hook("iq-get/host/jabber:iq:register:query", priority = 1)]
    fn masked_second(_: &mut Iq) -> Flow {
        Flow::Continue
    }

    #[hook("iq-set/host/jabber:iq:register:query")]
    fn set(_: &mut Iq) {}

    #[hook("iq-get/host/urn:xmpp:time:time", priority = 2)]
    fn may_answer(iq: &mut Iq) -> Result<Flow, StanzaError> {
        if iq.from().is_some() { Ok(Flow::Continue) } else { Err(StanzaError::forbidden()) }
    }

    #[hook("iq-get/host/urn:xmpp:time:time", priority = 1)]
    async fn second(iq: &mut Iq) -> Result<Reply, StanzaError> {
        Ok(iq.reply())
    }

    #[hook("iq/host/jabber:iq:private:query")]
    async fn both_types(iq: &mut Iq) -> Result<Reply, StanzaError> {
        Ok(iq.reply())
    }

    #[hook("iq-get/host/jabber:iq:private:query", priority = 100)]
    #[hook("iq-set/host/jabber:iq:private:query", priority = 100)]
    fn masked_types(_: &mut Iq) {}

    #[hook("iq-get/bare/jabber:iq:private:query")]
    fn bare(iq: &mut Iq) -> Reply {
        iq.reply()
    }

    #[hook("iq-get/self/jabber:iq:private:query")]
    fn masked_own(_: &mut Iq) {}

    #[hook("iq-get/self/jabber:iq:roster:query", priority = 5)]
    fn own(iq: &mut Iq) -> Reply {
        iq.reply()
    }

    /// Runs for the accounts of others.
    #[hook("iq-get/bare/jabber:iq:roster:query")]
    fn others(_: &mut Iq) {}

    #[hook("stanza/iq/jabber:iq:register:query", priority = 5)]
    fn on_streams(iq: &mut Iq) -> Reply {
        iq.reply()
    }

    #[hook("stanza/iq/jabber:iq:register:query")]
    fn masked_on_streams(_: &mut Iq) {}

    #[hook("iq/host", priority = -1)]
    fn deliver(_: &mut Iq) {}
}

#[test]
fn a_handler_behind_one_that_always_answers() {
    testing::run(async {
        let found = warnings("warnings_answers", &["warnings_answers"]).await;
        let mut names: Vec<_> = found.iter().map(|(function, _)| function.as_str()).collect();
        names.sort_unstable();
        let expected =
            ["masked_on_streams", "masked_own", "masked_second", "masked_types", "masked_types"];
        assert_eq!(names, expected, "{found:#?}");
        let (_, second) = found.iter().find(|(function, _)| function == "masked_second").unwrap();
        let text = second.to_string();
        assert!(text.starts_with("never runs: warnings::answers::first at "), "{text}");
        assert!(text.ends_with(" runs before it and always answers"), "{text}");
    });
}

mod filters {
    use super::*;

    /// Filters one of the two.
    #[module(name = "warnings_filters")]
    struct Filters;

    #[hook("message/bare", priority = 1000)]
    fn filter(_: &mut Message) {}

    #[hook("message/bare", priority = 999)]
    fn process(_: &mut Message) {}

    #[hook("message/full", priority = 999)]
    fn no_filter(_: &mut Message) {}
}

mod filters_both {
    use super::*;

    /// Filters both.
    #[module(name = "warnings_filters_both")]
    struct Both;

    #[hook("message/bare", priority = 2000)]
    #[hook("message/full", priority = 1000)]
    fn filter(_: &mut Message) {}
}

#[test]
fn a_filter_that_messages_to_a_full_jid_pass() {
    testing::run(async {
        let modules = ["warnings_filters", "warnings_filters_both"];
        let found = texts("warnings_filters", &modules).await;
        let expected =
            "filter messages to a full JID pass this filter: the module has none on message/full";
        assert_eq!(found, [expected]);
        assert_eq!(texts("warnings_filters_both", &modules).await, <[&str; 0]>::default());
    });
}
