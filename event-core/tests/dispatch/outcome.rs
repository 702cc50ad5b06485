//! The outcomes of each family of events: the end of the chain, `Handled`, an error, an answer, a
//! panic.

use std::cell::Cell;

use event_core::prelude::*;

use crate::{server, told};

thread_local! {
    static ACT: Cell<(&'static str, &'static str)> = const { Cell::new(("", "")) };
}

/// The action of the handler of `event` in this test.
fn act(event: &str) -> Result<Flow, StanzaError> {
    match ACT.get() {
        (on, "handled") if on == event => Ok(Flow::Handled),
        (on, "error") if on == event => Err(StanzaError::forbidden()),
        (on, "panic") if on == event => panic!("as asked"),
        _ => Ok(Flow::Continue),
    }
}

/// Acts as the test requests.
#[module(name = "outcome", fires = [events::MessageOfflineHandle])]
struct Outcome;

macro_rules! probes {
    ($($event:tt $priority:tt $function:ident $payload:ident;)*) => {$(
        #[hook($event, priority = $priority)]
        fn $function(_: &mut $payload) -> Result<Flow, StanzaError> {
            act($event)
        }
    )*};
}

probes! {
    "pre-message/bare" 5 pre_message Message;
    "pre-presence/bare" 5 pre_presence Presence;
    "pre-iq/bare" 5 pre_iq Iq;
    "message/full" 5 message_full Message;
    "message/bare" 5 message_bare Message;
    "message/host" 1000 message_host Message;
    "message/self" 5 message_self Message;
    "presence/full" 5 presence_full Presence;
    "presence/bare" 5 presence_bare Presence;
    "presence/host" 5 presence_host Presence;
    "presence/self" 5 presence_self Presence;
    "iq/full" 5 iq_full Iq;
    "iq/bare" 5 iq_bare Iq;
    "iq/host" 5 iq_host Iq;
    "iq/self" 5 iq_self Iq;
    "iq-set/bare/jabber:iq:private:query" 5 iq_set Iq;
    "route/remote" 5 remote Stanza;
    "stanza/iq/jabber:iq:register:query" 0 stream_iq Iq;
    "stanza/message" 0 stream_message Message;
    "stanza/presence" 0 stream_presence Presence;
    "message/offline/handle" 0 offline Message;
}

#[hook("iq/host/jabber:iq:version:query")]
fn iq_payload(iq: &mut Iq) -> Result<Reply, StanzaError> {
    act("iq/host/jabber:iq:version:query").map(|_| iq.reply())
}

#[hook("iq-result/host/fixed")]
fn iq_result(_: &Iq) -> Flow {
    act("iq-result/host/fixed").unwrap()
}

#[hook("iq-error/host/fixed")]
fn iq_error(_: &Iq) -> Flow {
    act("iq-error/host/fixed").unwrap()
}

#[hook("stanza/urn:xmpp:csi:0:active")]
fn stream_element(_: &mut Nonza) -> Result<Flow, StreamError> {
    act("stanza/urn:xmpp:csi:0:active").map_err(|_| StreamError::policy_violation())
}

#[hook("message/bare", priority = -1)]
async fn keep(message: &mut Message, cx: &Context<Outcome>) -> Result<Flow, StanzaError> {
    cx.fire_stanza::<events::MessageOfflineHandle>(message).await
}

const MESSAGE: &str = "<message to='TO' type='TYPE'><body>hi</body></message>";
const PRESENCE: &str = "<presence to='TO' type='TYPE'><show>away</show></presence>";
const IQ: &str = "<iq id='fixed' to='TO' type='TYPE'><query xmlns='jabber:iq:private'/></iq>";
const VERSION_IQ: &str =
    "<iq id='fixed' to='TO' type='get'><query xmlns='jabber:iq:version'/></iq>";
const REGISTER: &str = "<iq id='fixed' type='TYPE'><query xmlns='jabber:iq:register'/></iq>";

/// Sends a stanza and compares the answers when the handler of `event` continues, stops the chain,
/// returns an error, and panics.
fn expect(event: &'static str, xml: &str, (to, kind): (&str, &str), expected: [&str; 4]) {
    let xml =
        xml.replace(" to='TO'", &if to.is_empty() { String::new() } else { format!(" to='{to}'") });
    let xml = xml.replace(
        " type='TYPE'",
        &if kind.is_empty() { String::new() } else { format!(" type='{kind}'") },
    );
    let is_unbound = event.starts_with("stanza/");
    for (act, expected) in ["continue", "handled", "error", "panic"].into_iter().zip(expected) {
        if expected == "-" {
            continue;
        }
        ACT.set((event, act));
        event_core::testing::run(async {
            let server = server(&["outcome"]).await;
            let client = if is_unbound {
                server.stream("localhost")
            } else {
                server.session("romeo@localhost/orchard").await
            };
            client.send(&xml).await;
            assert_eq!(told(&client), expected, "{event}, {act}: {xml}");
            let decided = server.stops().iter().any(|decision| decision.event == event);
            assert_eq!(decided, act != "continue", "{event}, {act}: {:?}", server.stops());
        });
    }
}

const NOBODY: &str = "service-unavailable";
const OOPS: &str = "internal-server-error";

#[test]
fn outcomes_before_routing() {
    let juliet = "juliet@localhost";
    expect("pre-message/bare", MESSAGE, (juliet, ""), [NOBODY, "", "forbidden", OOPS]);
    expect("pre-message/bare", MESSAGE, ("", "chat"), [NOBODY, "", "forbidden", OOPS]);
    expect(
        "pre-message/bare",
        MESSAGE,
        ("juliet@elsewhere.example", ""),
        ["remote-server-not-found", "", "forbidden", OOPS],
    );
    expect("pre-message/bare", MESSAGE, (juliet, "error"), ["", "", "", ""]);
    expect("pre-presence/bare", PRESENCE, (juliet, ""), ["", "", "forbidden", ""]);
    expect("pre-presence/bare", PRESENCE, ("", "unavailable"), ["", "", "forbidden", ""]);
    // A request is always answered.
    expect("pre-iq/bare", IQ, (juliet, "get"), [NOBODY, OOPS, "forbidden", OOPS]);
    expect("pre-iq/bare", IQ, (juliet, "result"), ["", "", "", ""]);
    expect("pre-iq/bare", IQ, (juliet, "error"), ["", "", "", ""]);
}

#[test]
fn outcomes_after_routing() {
    for (message, presence, iq, to) in [
        ("message/full", "presence/full", "iq/full", "juliet@localhost/balcony"),
        ("message/bare", "presence/bare", "iq/bare", "juliet@localhost"),
        ("message/host", "presence/host", "iq/host", "localhost"),
        ("message/self", "presence/self", "iq/self", ""),
        ("message/self", "presence/self", "iq/self", "romeo@localhost"),
    ] {
        expect(message, MESSAGE, (to, "chat"), [NOBODY, "", "forbidden", OOPS]);
        expect(message, MESSAGE, (to, "error"), ["", "", "", ""]);
        expect(presence, PRESENCE, (to, ""), ["", "", "forbidden", ""]);
        expect(presence, PRESENCE, (to, "error"), ["", "", "", ""]);
        expect(iq, IQ, (to, "get"), [NOBODY, OOPS, "forbidden", OOPS]);
        expect(iq, IQ, (to, "result"), ["", "", "", ""]);
        expect(iq, IQ, (to, "error"), ["", "", "", ""]);
    }
}

#[test]
fn outcomes_of_iq_events_by_payload_and_by_id() {
    let set = "iq-set/bare/jabber:iq:private:query";
    expect(set, IQ, ("juliet@localhost", "set"), [NOBODY, OOPS, "forbidden", OOPS]);
    expect(set, IQ, ("", "set"), [NOBODY, OOPS, "forbidden", OOPS]);
    let version = "iq/host/jabber:iq:version:query";
    expect(version, VERSION_IQ, ("localhost", "get"), ["-", "result", "forbidden", OOPS]);
    expect("iq-result/host/fixed", IQ, ("localhost", "result"), ["", "", "-", ""]);
    expect("iq-error/host/fixed", IQ, ("localhost", "error"), ["", "", "-", ""]);
}

#[test]
fn outcomes_of_stanzas_to_other_servers() {
    let to = "juliet@elsewhere.example";
    let nowhere = "remote-server-not-found";
    expect("route/remote", MESSAGE, (to, ""), [nowhere, "", "forbidden", OOPS]);
    expect("route/remote", MESSAGE, (to, "error"), ["", "", "", ""]);
    expect("route/remote", PRESENCE, (to, ""), [nowhere, "", "forbidden", ""]);
    // When a handler took the stanza, the other server answers.
    expect("route/remote", IQ, (to, "get"), [nowhere, "", "forbidden", OOPS]);
    expect("route/remote", IQ, (to, "result"), ["", "", "", ""]);
}

#[test]
fn outcomes_before_binding() {
    let closed = "closed not-authorized";
    let register = "stanza/iq/jabber:iq:register:query";
    expect(register, REGISTER, ("", "set"), [closed, OOPS, "forbidden", OOPS]);
    let broken = "closed internal-server-error";
    expect("stanza/message", MESSAGE, ("", ""), [closed, "", closed, broken]);
    expect("stanza/presence", PRESENCE, ("", ""), [closed, "", closed, broken]);
    expect(
        "stanza/urn:xmpp:csi:0:active",
        "<active xmlns='urn:xmpp:csi:0'/>",
        ("", ""),
        ["closed unsupported-stanza-type", "", "closed policy-violation", broken],
    );
}

#[test]
fn stanzas_to_other_domains_and_malformed_ones_are_refused_before_binding() {
    for (xml, expected) in [
        ("<message to='elsewhere.example'/>", "closed not-authorized"),
        ("<message to='@'/>", "closed not-authorized"),
        (
            "<iq type='result' id='1'><query xmlns='jabber:iq:register'/></iq>",
            "closed not-authorized",
        ),
        ("<iq type='get'><query xmlns='jabber:iq:register'/></iq>", "bad-request"),
        ("<iq type='get' id=''><query xmlns='jabber:iq:register'/></iq>", "bad-request"),
        ("<iq type='get' id='1'><query xmlns='jabber:iq:register'/><x/></iq>", "bad-request"),
    ] {
        ACT.set(("stanza/iq/jabber:iq:register:query", "error"));
        event_core::testing::run(async {
            let client = server(&["outcome"]).await.stream("localhost");
            client.send(xml).await;
            assert_eq!(told(&client), expected, "{xml}");
        });
    }
}

#[test]
fn outcomes_of_a_message_that_is_not_delivered() {
    let event = "message/offline/handle";
    expect(event, MESSAGE, ("juliet@localhost", ""), [NOBODY, "", "forbidden", OOPS]);
}
