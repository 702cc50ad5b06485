//! The attributes `#[module]`, `#[hook]` and `#[event]`: accepted forms, and what they register.

mod version {
    use event_core::{prelude::*, xmpp_parsers::version::VersionResult};

    /// Reports the software of the server.
    #[module(features = ["jabber:iq:version"])]
    struct Version {
        /// Leave the operating system out of the answer.
        #[serde(default)]
        hide_os: bool,
    }

    #[hook("iq-get/host/jabber:iq:version:query", priority = 10)]
    fn answer_version(iq: &mut Iq, cx: &Context<Version>) -> Result<Reply, StanzaError> {
        let os = (!cx.hide_os).then(|| "here".to_owned());
        let (name, version) = ("Spondee".to_owned(), VERSION.to_owned());
        Ok(iq.reply_with(VersionResult { name, version, os }))
    }

    #[hook(events::MessageBare, priority = 10)]
    async fn look(message: &mut Message) -> Flow {
        tokio::task::yield_now().await;
        println!("{message:?}");
        Flow::Continue
    }

    #[hook("message/bare")]
    fn observe(message: &Message, _cx: &Context<Version>) {
        println!("{message:?}");
    }

    #[hook(events::IqGetHost, "urn:xmpp:ping:ping")]
    fn ping(iq: &mut Iq) -> Reply {
        iq.reply()
    }
}

mod declared {
    use event_core::prelude::*;

    /// An occupant joined.
    #[event("muc-occupant-joined", kind = "notification")]
    #[derive(Debug)]
    pub(crate) struct OccupantJoined<'a> {
        /// The nickname.
        pub nick: &'a str,
    }

    /// An occupant wants to join.
    #[event("muc-occupant-pre-join", kind = "chain")]
    #[derive(Debug)]
    pub(crate) struct OccupantPreJoin {
        /// The nickname.
        pub nick: String,
    }

    /// Handles the events.
    #[module]
    struct Listener;

    #[hook(OccupantJoined)]
    fn joined(event: &OccupantJoined<'_>, _cx: &Context<Listener>) {
        println!("{}", event.nick);
    }

    #[hook(super::declared::OccupantJoined, priority = 5)]
    async fn joined_later(event: &OccupantJoined<'_>) {
        println!("{}", event.nick);
    }

    #[hook(OccupantPreJoin)]
    fn pre_join(event: &mut OccupantPreJoin) -> Result<Flow, StanzaError> {
        if event.nick.is_empty() { Err(StanzaError::not_acceptable()) } else { Ok(Flow::Continue) }
    }
}

mod stacked {
    use event_core::prelude::*;

    /// Has two hooks on one function.
    #[module]
    pub(crate) struct Stacked;

    #[hook("message/bare", priority = 5)]
    #[hook("message/full", priority = 7)]
    pub(crate) fn change(_: &mut Message, _: &Context<Stacked>) -> Flow {
        Flow::Continue
    }

    type Chat = Message;

    #[hook("message/host", priority = 9)]
    pub(crate) fn by_another_name(_: &mut Chat) -> Flow {
        Flow::Handled
    }
}

#[test]
fn every_module_hook_and_event_is_registered() {
    let registry = event_core::Registry::linked().unwrap();
    let names: Vec<_> = registry.modules().map(|info| info.name).collect();
    assert_eq!(names, ["listener", "stacked", "version"]);
}

#[tokio::test]
async fn a_record_has_the_position_of_its_attribute() {
    use event_core::{HostConfig, HostSettings, Registry, Runtime, storage::Memory};

    let modules = vec![("stacked".to_owned(), Default::default())];
    let settings = HostSettings::default();
    let host = HostConfig { name: "example.org".to_owned(), modules, settings };
    let storage = std::sync::Arc::new(Memory::default());
    let registry = Registry::linked().unwrap();
    let runtime = Runtime::start(registry, vec![host], storage, |_| {}).await.unwrap();
    let core = runtime.core();
    let listing = core.hooks(&core.hosts()[0]);
    let hooks: Vec<_> = listing.iter().map(|line| line.hook).collect();

    let names: Vec<_> = hooks.iter().map(|hook| (hook.event, hook.priority)).collect();
    assert_eq!(names, [("message/full", 7), ("message/bare", 5), ("message/host", 9)]);
    assert!(hooks.iter().all(|hook| hook.file == file!() && !hook.is_async));
    assert!(hooks.iter().all(|hook| hook.module_path == concat!(module_path!(), "::stacked")));
    assert_eq!(
        hooks[0].line,
        hooks[1].line + 1,
        "each attribute of a function must have its own line"
    );
    assert_eq!(hooks[0].id(), "stacked::change");

    let source = include_str!("attributes.rs");
    for hook in hooks {
        let line = source.lines().nth(hook.line as usize - 1).unwrap();
        assert!(line.trim().starts_with(&format!("#[hook(\"{}\"", hook.event)), "{line}");
        assert_eq!(hook.column, 5);
    }
}
