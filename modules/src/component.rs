//! External components (XEP-0114): a separate process serves the host.

use std::time::Duration;

use parking_lot::{Mutex, MutexGuard};

use event_core::{
    SessionKind, SessionState,
    prelude::*,
    xml::STANZA_NS,
    xmpp_parsers::disco::{DiscoInfoResult, Identity},
};
use sha1::{Digest, Sha1};
use subtle::ConstantTimeEq;
use tokio::time::timeout;

use crate::hex;

const NS: &str = "jabber:component:accept";
/// The time that a component has to answer a ping when another connects with its secret.
const ANSWER: Duration = Duration::from_secs(5);

const NS_DISCO_INFO: &str = "http://jabber.org/protocol/disco#info";

/// Passes all stanzas for the host to the connected component. While no component is connected,
/// stanzas are refused with `remote-server-timeout`, so that senders retry.
#[module(state = Connected, fires = [events::ComponentAuthenticated])]
pub struct Component {
    /// The host's name in service discovery while its component is not connected. Without a name
    /// such requests are refused.
    name: Option<String>,
}

/// The stream of the component that serves the host.
#[derive(Debug, Default)]
pub struct Connected(Mutex<Option<Session>>);

impl ModuleState<Component> for Connected {
    async fn start(host: &HostContext, _: &Component) -> Result<Self, StartError> {
        match host.settings().secret {
            Some(_) => Ok(Self::default()),
            None => Err(StartError::Other("the host is not a [component] with a secret".into())),
        }
    }

    async fn stop(&self) {
        if let Some(session) = self.slot().take() {
            session.close(StreamError::host_gone().text("the host is no longer served here"));
        }
    }
}

impl Connected {
    fn slot(&self) -> MutexGuard<'_, Option<Session>> {
        self.0.lock()
    }

    /// The stream of the component, if connected.
    fn session(&self) -> Option<Session> {
        self.slot().clone().filter(|session| session.state() == SessionState::Connected)
    }

    /// Makes the component on `session` serve the host. Fails while another component is connected,
    /// except for `dead`, which is closed.
    fn connect(
        &self,
        session: &Session,
        dead: Option<&Session>,
        cx: &Context<Component>,
    ) -> Result<(), StreamError> {
        let core = cx.host_context().core().ok_or_else(StreamError::internal_server_error)?;
        let mut slot = self.slot();
        let is_alive = |other: &&Session| other.state() == SessionState::Connected;
        if slot.as_ref().filter(is_alive).is_some_and(|other| Some(other) != dead) {
            return Err(StreamError::conflict().text("the component is already connected"));
        }
        core.authorize(session, session.host().name())?;
        // The lock is held, so that no stanza precedes the answer.
        session.send_nonza(&ElementBuilder::new("handshake", NS).build());
        if let Some(dead) = slot.replace(session.clone()) {
            dead.close(StreamError::conflict().text("replaced by a new connection"));
        }
        Ok(())
    }
}

/// Whether the component on a stream answers a ping. TCP notices only after minutes that a machine
/// is gone.
async fn is_alive(session: &Session, cx: &Context<Component>) -> bool {
    let hosts = cx.hosts();
    let asks = hosts.iter().find(|host| host.name() != cx.host().name()).unwrap_or(cx.host());
    let ping = ElementBuilder::new("ping", "urn:xmpp:ping").build();
    let iq = ElementBuilder::new("iq", STANZA_NS).attribute("type", "get");
    let iq = iq.attribute("to", cx.host().name()).child(&ping).build();
    let asked = cx.host_context().core().map(|core| core.expect_answer(asks, iq));
    let Some(Ok((stanza, expected))) = asked else { return true };
    // An error is an answer, too.
    let is_sent = session.send(stanza.element());
    is_sent && timeout(ANSWER, expected.answer()).await.is_ok_and(|answer| answer.is_some())
}

/// XEP-0114 §3: checks the proof that the component knows the secret.
#[hook("stanza/jabber:component:accept:handshake")]
async fn handshake(nonza: &mut Nonza, cx: &Context<Component>) -> Result<Flow, StreamError> {
    let session = &nonza.session;
    if session.kind() != SessionKind::Component || session.is_established() {
        return Ok(Flow::Continue);
    }
    let host = cx.host().name();
    let proof = nonza.element.text().to_ascii_lowercase();
    let (Some(secret), Some(id)) = (&cx.host().settings().secret, session.stream_id()) else {
        return Err(StreamError::internal_server_error());
    };
    let expected =
        hex::encode(&Sha1::new().chain_update(&*id).chain_update(secret.expose()).finalize());
    if !bool::from(expected.as_bytes().ct_eq(proof.as_bytes())) {
        tracing::warn!(
            host,
            peer = session.peer().map(tracing::field::display),
            "a component has the wrong secret"
        );
        return Err(StreamError::not_authorized().text("the handshake is wrong"));
    }
    let dead = match cx.state().session() {
        Some(other) if !is_alive(&other, cx).await => Some(other),
        _ => None,
    };
    if let Err(error) = cx.state().connect(session, dead.as_ref(), cx) {
        tracing::warn!(
            host,
            peer = session.peer().map(tracing::field::display),
            "a second component was refused"
        );
        return Err(error);
    }
    tracing::info!(host, peer = session.peer().map(tracing::field::display), "component connected");
    cx.fire(ComponentAuthenticated { session: session.clone() }).await;
    Ok(Flow::Handled)
}

#[hook("component-disconnected", priority = 1000)]
fn forget_session(event: &ComponentDisconnected, cx: &Context<Component>) {
    let error = event.error.as_deref();
    tracing::info!(host = cx.host().name(), error, "component disconnected");
    cx.state().slot().take_if(|session| *session == event.session);
}

/// Answers with the configured name while the component is not connected.
#[hook("iq-get/host/http://jabber.org/protocol/disco#info:query", priority = -1)]
fn describe(iq: &mut Iq, cx: &Context<Component>) -> Flow {
    let query = iq.child("query", NS_DISCO_INFO);
    let has_node =
        query.is_some_and(|query| query.attribute("node").is_some_and(|node| !node.is_empty()));
    let is_whole = iq.to().is_some_and(|to| to == cx.host().jid()) && !has_node;
    let Some(name) = cx.name.as_deref().filter(|_| is_whole && cx.state().session().is_none())
    else {
        return Flow::Continue;
    };
    cx.send(iq.reply_with(DiscoInfoResult {
        node: None,
        identities: vec![Identity::new("component", "generic", "en", name)],
        features: [NS_DISCO_INFO.to_owned()].into(),
        extensions: Vec::new(),
    }));
    Flow::Handled
}

/// Passes a stanza to the component unchanged.
fn hand_over(stanza: &Stanza, cx: &Context<Component>) -> Result<Flow, StanzaError> {
    let refused = |text: &str| Err(StanzaError::remote_server_timeout().text(text));
    match cx.state().session() {
        None => refused("the component is not connected"),
        Some(session) if session.send(stanza.element()) => Ok(Flow::Handled),
        Some(_) => refused("the component is disconnected, or its queue is full"),
    }
}

macro_rules! hand_over {
    ($($event:literal $function:ident($kind:ty);)*) => {$(
        #[hook($event, priority = -1)]
        fn $function(stanza: &mut $kind, cx: &Context<Component>) -> Result<Flow, StanzaError> {
            hand_over(stanza, cx)
        }
    )*};
}

hand_over! {
    "message/full" message_full(Message);
    "message/bare" message_bare(Message);
    "message/host" message_host(Message);
    "presence/full" presence_full(Presence);
    "presence/bare" presence_bare(Presence);
    "presence/host" presence_host(Presence);
    "iq/full" iq_full(Iq);
    "iq/bare" iq_bare(Iq);
    "iq/host" iq_host(Iq);
}

#[cfg(test)]
mod tests {
    use event_core::testing::{self, Client, Harness};

    use super::*;

    async fn server(options: &str) -> Harness {
        let server = testing::host("localhost").module("message").module("presence").module("iq");
        let server = server.host("irc.localhost").module_with("component", options);
        let server = server.settings(|settings| settings.secret = Some("s3cret".to_owned().into()));
        server.start().await.unwrap()
    }

    fn proof(id: &str, secret: &str) -> String {
        hex::encode(&Sha1::digest(format!("{id}{secret}")))
    }

    /// A component and the answer to its handshake.
    async fn connect(server: &Harness, secret: &str) -> (Client, Option<Element>) {
        let component = server.stream_of(SessionKind::Component, "irc.localhost");
        let id = component.session.stream_id().unwrap();
        component.send(&format!("<handshake>{}</handshake>", proof(&id, secret))).await;
        let answer = component.next();
        (component, answer)
    }

    fn condition(client: &Client) -> Option<&'static str> {
        client.closed().map(|error| error.map_or("none", |error| error.condition().as_str()))
    }

    /// The type of the next stanza that a client got, or the type and condition of its error.
    fn answer(client: &Client) -> String {
        let Some(element) = client.next() else { return "nothing".into() };
        match element.child("error", STANZA_NS) {
            Some(error) => {
                let kind = error.attribute("type").unwrap().into_owned();
                format!("{kind} {}", error.first_child().unwrap().name())
            }
            None => element.attribute("type").unwrap_or_default().into_owned(),
        }
    }

    #[test]
    fn proofs_are_as_in_the_specification() {
        // Computed with `printf %s 3BF96D32secret | sha1sum`.
        assert_eq!(proof("3BF96D32", "secret"), "b09ea9b3b7f586be8a08d0a3dd7466f110aeb136");
    }

    #[test]
    fn a_component_needs_the_right_secret() {
        testing::run(async {
            let server = server("").await;
            let (component, answer) = connect(&server, "wrong").await;
            assert_eq!((answer.is_none(), condition(&component)), (true, Some("not-authorized")));
            for odd in ["", "é", &"a".repeat(1000)] {
                let component = server.stream_of(SessionKind::Component, "irc.localhost");
                component.send(&format!("<handshake>{odd}</handshake>")).await;
                assert_eq!(condition(&component), Some("not-authorized"), "{odd}");
            }
            let (component, answer) = connect(&server, "s3cret").await;
            assert!(answer.unwrap().is("handshake", STANZA_NS));
            assert!(component.session.is_authorized("irc.localhost"));
            // A second handshake is refused.
            component.send("<handshake/>").await;
            assert_eq!(condition(&component), Some("unsupported-stanza-type"));
        });
    }

    #[test]
    fn one_component_at_a_time() {
        testing::run(async {
            let server = server("").await;
            let (first, _) = connect(&server, "s3cret").await;
            let answering = async {
                let ping = loop {
                    match first.next() {
                        Some(ping) => break ping,
                        None => tokio::task::yield_now().await,
                    }
                };
                let id = ping.attribute("id").unwrap().into_owned();
                assert_eq!(ping.attribute("from").as_deref(), Some("localhost"));
                let answer = "<iq from='irc.localhost' to='localhost' type='error'";
                first.send(&format!("{answer} id='{id}'><error type='cancel'/></iq>")).await;
            };
            let ((second, answer), ()) = tokio::join!(connect(&server, "s3cret"), answering);
            assert_eq!((answer.is_none(), condition(&second)), (true, Some("conflict")));
            second.disconnect().await;
            let romeo = server.session("romeo@localhost/orchard").await;
            romeo.send("<message to='x@irc.localhost' id='1'><body>a</body></message>").await;
            assert_eq!(first.next().unwrap().attribute("id").as_deref(), Some("1"));
            first.disconnect().await;
            let (third, answer) = connect(&server, "s3cret").await;
            assert!(answer.is_some() && condition(&third).is_none());
        });
    }

    #[test]
    fn a_component_that_does_not_answer_is_replaced() {
        testing::run(async {
            let server = server("").await;
            let (first, _) = connect(&server, "s3cret").await;
            // The connection of `first` is dead: the ping gets no answer in 5 seconds.
            let (second, answer) = connect(&server, "s3cret").await;
            assert!(answer.unwrap().is("handshake", STANZA_NS));
            assert_eq!(condition(&first), Some("conflict"));
            first.disconnect().await;
            let romeo = server.session("romeo@localhost/orchard").await;
            romeo.send("<message to='x@irc.localhost' id='1'><body>a</body></message>").await;
            assert_eq!(second.next().unwrap().attribute("id").as_deref(), Some("1"));
            // The secret is needed to have the other component pinged.
            let (third, _) = connect(&server, "wrong").await;
            assert_eq!(condition(&third), Some("not-authorized"));
            assert!(second.next().is_none());
        });
    }

    #[test]
    fn every_stanza_is_passed_on_unchanged() {
        testing::run(async {
            let server = server("").await;
            let (component, _) = connect(&server, "s3cret").await;
            let romeo = server.session("romeo@localhost/orchard").await;
            for to in ["irc.localhost", "irc.localhost/r", "#x@irc.localhost", "#x@irc.localhost/r"]
            {
                for stanza in [
                    format!(
                        "<message from='romeo@localhost/orchard' to='{to}'><body>a</body></message>"
                    ),
                    format!("<presence from='romeo@localhost/orchard' to='{to}'/>"),
                    format!(
                        "<iq from='romeo@localhost/orchard' to='{to}' type='get' id='1'><q xmlns='urn:q'/></iq>"
                    ),
                    format!("<iq from='romeo@localhost/orchard' to='{to}' type='result' id='1'/>"),
                ] {
                    romeo.send(&stanza).await;
                    let element = component.next().map(|element| element.to_string());
                    assert_eq!(element.as_ref(), Some(&stanza));
                }
            }
            assert!(romeo.received().is_empty());
            let chat = "<message from='#x@irc.localhost/tybalt' to='romeo@localhost/orchard' type='chat'><body>b</body></message>";
            component.send(chat).await;
            assert_eq!(romeo.next().unwrap().to_string(), chat);
        });
    }

    #[test]
    fn without_a_component_stanzas_are_refused() {
        testing::run(async {
            let server = server("name = \"Chat\"").await;
            let romeo = server.session("romeo@localhost/orchard").await;
            let query = "<query xmlns='http://jabber.org/protocol/disco#info'";
            for (stanza, expected) in [
                (
                    "<message to='x@irc.localhost'><body>a</body></message>".to_owned(),
                    "wait remote-server-timeout",
                ),
                (
                    "<message to='x@irc.localhost' type='error'><error type='cancel'/></message>"
                        .into(),
                    "nothing",
                ),
                ("<presence to='x@irc.localhost/y'/>".into(), "wait remote-server-timeout"),
                (
                    "<iq to='irc.localhost' type='set' id='1'><q xmlns='urn:q'/></iq>".into(),
                    "wait remote-server-timeout",
                ),
                ("<iq to='irc.localhost' type='result' id='1'/>".into(), "nothing"),
                (format!("<iq to='irc.localhost' type='get' id='1'>{query}/></iq>"), "result"),
                (
                    format!("<iq to='irc.localhost' type='get' id='1'>{query} node='x'/></iq>"),
                    "wait remote-server-timeout",
                ),
                (
                    format!("<iq to='x@irc.localhost' type='get' id='1'>{query}/></iq>"),
                    "wait remote-server-timeout",
                ),
            ] {
                romeo.send(&stanza).await;
                assert_eq!(answer(&romeo), expected, "{stanza}");
            }
            let (component, _) = connect(&server, "s3cret").await;
            romeo.send(&format!("<iq to='irc.localhost' type='get' id='1'>{query}/></iq>")).await;
            assert!(component.next().is_some() && romeo.next().is_none());
            // A component whose queue is full counts as not connected.
            component.stream.set_capacity(0);
            romeo.send("<message to='x@irc.localhost'><body>a</body></message>").await;
            assert_eq!(answer(&romeo), "wait remote-server-timeout");
        });
    }

    #[test]
    fn the_module_needs_a_secret() {
        testing::run(async {
            let error =
                testing::host("irc.localhost").module("component").start().await.unwrap_err();
            assert!(error.to_string().contains("secret"), "{error}");
        });
    }
}
