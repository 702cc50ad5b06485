//! The attributes on their own: what compiles, and what it registers.

mod version {
    use event_core::{prelude::*, xmpp_parsers::version::VersionResult};

    /// Says what software runs here.
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

    /// Somebody joined.
    #[event("muc-occupant-joined", kind = "notification")]
    #[derive(Debug)]
    pub(crate) struct OccupantJoined<'a> {
        /// Who.
        pub nick: &'a str,
    }

    /// May somebody join?
    #[event("muc-occupant-pre-join", kind = "chain")]
    #[derive(Debug)]
    pub(crate) struct OccupantPreJoin {
        /// Who.
        pub nick: String,
    }

    /// Listens.
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

#[test]
fn everything_is_registered() {
    let registry = event_core::Registry::linked().unwrap();
    let names: Vec<_> = registry.modules().map(|info| info.name).collect();
    assert_eq!(names, ["listener", "version"]);
}
