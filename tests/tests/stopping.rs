//! Stopping an event has its documented effect. For every event that can be stopped, the test
//! checks which events fired before it, that none fired after it, and what sender and recipient
//! see.

use spondee_tests::{
    raw::{Raw, header},
    server::{Server, Setup},
};

const VERSION: &str = "<query xmlns='jabber:iq:version'/>";
const PRIVATE: &str = "<query xmlns='jabber:iq:private'/>";

fn server() -> Server {
    Server::with(&Setup {
        host: "modules = [\"+recorder\", \"+stopper\"]\nallow_plaintext = true".into(),
        ..Setup::default()
    })
}

/// Sends a ping and waits for its answer, which means that earlier stanzas have been handled.
/// Returns the input before the answer.
fn sync(raw: &mut Raw) -> String {
    raw.send("<iq type='get' id='sync' to='localhost'><ping xmlns='urn:xmpp:ping'/></iq>");
    let before = raw.wait("id='sync'");
    raw.wait(">");
    before
}

/// The names of the events that the stanza with this id fired on `localhost`, in order.
fn fired(server: &Server, id: &str) -> Vec<String> {
    let id = format!("id='{id}'");
    let mut events = Vec::new();
    for line in server.records().iter().filter(|line| line.contains(&id)) {
        let mut parts = line.split('\t');
        events.extend(parts.next().map(String::from));
        assert_eq!(parts.next(), Some("localhost"), "{line}");
    }
    events
}

/// Sends `stanza`, with its id, once for each way to stop `event`, and checks the events before it.
fn stops(
    server: &Server,
    (sender, recipient): (&mut Raw, &mut Raw),
    stanza: &str,
    (event, before): (&str, &[&str]),
) {
    let is_iq = stanza.starts_with("<iq");
    for verb in ["stop", "refuse", "answer"] {
        if verb == "answer" && !is_iq {
            continue;
        }
        let id = format!("{verb} {event}");
        let earlier = fired(server, &id).len();
        sender.send(&stanza.replace("ID", &id));
        let answer = sync(sender);
        let what = format!("{id}: {answer}");
        assert_eq!(fired(server, &id).split_off(earlier), before, "{what}");
        assert!(!sync(recipient).contains(&id), "{what} was delivered");
        let refused = answer.contains("<not-allowed") && answer.contains("type='error'");
        match verb {
            "refuse" => assert!(refused && answer.contains(&id), "{what}"),
            "answer" => assert!(answer.contains("type='result'") && answer.contains(&id), "{what}"),
            // A stopped request without an answer gets an error.
            _ if is_iq => assert!(answer.contains("<internal-server-error"), "{what}"),
            _ => assert!(!answer.contains(&id), "{what}"),
        }
    }
}

#[test]
fn stopped_messages_are_not_delivered() {
    let server = server();
    let mut juliet = Raw::login(&server, "juliet", "balcony");
    juliet.send("<presence><priority>-1</priority></presence>");
    let mut romeo = Raw::login(&server, "romeo", "orchard");
    let full = "to='juliet@localhost/balcony'";
    let bare = "to='juliet@localhost'";
    let host = "to='localhost'";
    let remote = "to='juliet@elsewhere.example'";
    for (event, to, before) in [
        ("pre-message/full", full, vec![]),
        ("pre-message/bare", bare, vec![]),
        ("pre-message/bare", "", vec![]),
        ("pre-message/host", host, vec![]),
        ("message/full", full, vec!["pre-message/full"]),
        ("message/bare", bare, vec!["pre-message/bare"]),
        ("message/host", host, vec!["pre-message/host"]),
        // Both events share one chain, which stops before all lower priorities.
        ("message/bare", "", vec!["pre-message/bare"]),
        ("message/self", "", vec!["pre-message/bare"]),
        ("message/self", "to='romeo@localhost'", vec!["pre-message/bare"]),
        ("message/offline/handle", bare, vec!["pre-message/bare", "message/bare"]),
        ("route/remote", remote, vec!["pre-message/bare"]),
    ] {
        let stanza = format!("<message id='ID' {to}><body>hi</body></message>");
        stops(&server, (&mut romeo, &mut juliet), &stanza, (event, &before));
    }
    let stanza = format!("<message id='ID' type='groupchat' {bare}><body>hi</body></message>");
    let before = ["pre-message/bare", "message/bare"];
    stops(&server, (&mut romeo, &mut juliet), &stanza, ("message/bare/groupchat", &before));
    // A message that is not stopped arrives, or its sender gets an error.
    romeo.send(&format!("<message id='none' {full}><body>hi</body></message>"));
    romeo.send(&format!("<message id='gone' {host}><body>hi</body></message>"));
    assert!(sync(&mut romeo).contains("<service-unavailable"));
    assert!(sync(&mut juliet).contains("id='none'"));
}

#[test]
fn stopped_presence_is_not_delivered() {
    let server = server();
    let mut juliet = Raw::login(&server, "juliet", "balcony");
    juliet.send("<presence/>");
    sync(&mut juliet);
    let mut romeo = Raw::login(&server, "romeo", "orchard");
    let full = "to='juliet@localhost/balcony'";
    let bare = "to='juliet@localhost'";
    let host = "to='localhost'";
    for (event, to, before) in [
        ("pre-presence/full", full, vec![]),
        ("pre-presence/bare", bare, vec![]),
        ("pre-presence/bare", "", vec![]),
        ("pre-presence/host", host, vec![]),
        ("presence/full", full, vec!["pre-presence/full"]),
        ("presence/bare", bare, vec!["pre-presence/bare"]),
        ("presence/host", host, vec!["pre-presence/host"]),
        ("presence/bare", "", vec!["pre-presence/bare"]),
        ("presence/self", "", vec!["pre-presence/bare"]),
    ] {
        let stanza = format!("<presence id='ID' {to}/>");
        stops(&server, (&mut romeo, &mut juliet), &stanza, (event, &before));
    }
    // None of these became romeo's presence, so the next one is the initial presence.
    romeo.send("<presence id='first'/>");
    sync(&mut romeo);
    assert!(fired(&server, "first").contains(&"presence/initial".to_owned()));
}

#[test]
fn stopped_iq_requests_are_not_handled() {
    let server = server();
    let mut juliet = Raw::login(&server, "juliet", "balcony");
    let mut romeo = Raw::login(&server, "romeo", "orchard");
    let full = "to='juliet@localhost/balcony'";
    let bare = "to='juliet@localhost'";
    let host = "to='localhost'";
    for (event, kind, to, child, before) in [
        ("pre-iq/full", "get", full, VERSION, vec![]),
        ("pre-iq/bare", "get", bare, VERSION, vec![]),
        ("pre-iq/bare", "get", "", VERSION, vec![]),
        ("pre-iq/host", "get", host, VERSION, vec![]),
        ("iq/full", "get", full, VERSION, vec!["pre-iq/full"]),
        ("iq/bare", "get", bare, VERSION, vec!["pre-iq/bare"]),
        ("iq/host", "get", host, VERSION, vec!["pre-iq/host"]),
        ("iq/self", "get", "", VERSION, vec!["pre-iq/bare"]),
        ("iq/bare/jabber:iq:version:query", "get", bare, VERSION, vec!["pre-iq/bare", "iq/bare"]),
        ("iq/host/jabber:iq:version:query", "get", host, VERSION, vec!["pre-iq/host", "iq/host"]),
        (
            "iq/self/jabber:iq:version:query",
            "get",
            "",
            VERSION,
            vec!["pre-iq/bare", "iq/bare", "iq/self"],
        ),
        (
            "iq-get/bare/jabber:iq:version:query",
            "get",
            bare,
            VERSION,
            vec!["pre-iq/bare", "iq/bare", "iq/bare/jabber:iq:version:query"],
        ),
        (
            "iq-get/host/jabber:iq:version:query",
            "get",
            host,
            VERSION,
            vec!["pre-iq/host", "iq/host", "iq/host/jabber:iq:version:query"],
        ),
        (
            "iq-get/self/jabber:iq:version:query",
            "get",
            "",
            VERSION,
            vec![
                "pre-iq/bare",
                "iq/bare",
                "iq/self",
                "iq/bare/jabber:iq:version:query",
                "iq/self/jabber:iq:version:query",
            ],
        ),
        (
            "iq-set/bare/jabber:iq:private:query",
            "set",
            bare,
            PRIVATE,
            vec!["pre-iq/bare", "iq/bare"],
        ),
        (
            "iq-set/host/jabber:iq:private:query",
            "set",
            host,
            PRIVATE,
            vec!["pre-iq/host", "iq/host"],
        ),
        (
            "iq-set/self/jabber:iq:private:query",
            "set",
            "to='romeo@localhost'",
            PRIVATE,
            vec!["pre-iq/bare", "iq/bare", "iq/self"],
        ),
    ] {
        let stanza = format!("<iq type='{kind}' id='ID' {to}>{child}</iq>");
        stops(&server, (&mut romeo, &mut juliet), &stanza, (event, &before));
    }
}

#[test]
fn stopped_iq_answers_fire_no_later_event() {
    let server = server();
    let mut romeo = Raw::login(&server, "romeo", "orchard");
    for kind in ["result", "error"] {
        for (at, to) in
            [("host", "to='localhost'"), ("bare", "to='juliet@localhost'"), ("self", "")]
        {
            let event = format!("iq-{kind}/{at}/recorded");
            for (child, is_recorded) in [("go", true), ("stop", false)] {
                let before = fired(&server, "recorded").len();
                romeo.send(&format!(
                    "<iq type='{kind}' id='recorded' {to}><{child} xmlns='urn:test:stop'/></iq>"
                ));
                let answer = sync(&mut romeo);
                assert!(!answer.contains("recorded"), "an answer was answered: {answer}");
                let events = fired(&server, "recorded").split_off(before);
                assert_eq!(events.contains(&event), is_recorded, "{child} {events:?}");
            }
        }
    }
}

#[test]
fn elements_before_binding_can_be_stopped() {
    let server = server();
    for (event, element) in [
        ("stanza/message", "<message id='ID' to='localhost'/>"),
        ("stanza/presence", "<presence id='ID'/>"),
        (
            "stanza/iq/urn:test:stop:query",
            "<iq id='ID' type='get'><query xmlns='urn:test:stop'/></iq>",
        ),
        ("stanza/urn:test:stop:element", "<element id='ID' xmlns='urn:test:stop'/>"),
    ] {
        // Stopped: the stream stays open, and the client can still log in.
        let mut raw = Raw::open(&server);
        raw.send(&element.replace("ID", &format!("stop {event}")));
        raw.send("<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>");
        let answer = raw.wait("<proceed");
        assert!(!answer.contains("stream:error"), "{event}: {answer}");
        // Refused: an iq is answered, everything else closes the stream.
        let mut raw = Raw::open(&server);
        raw.send(&element.replace("ID", &format!("refuse {event}")));
        if event.starts_with("stanza/iq") {
            let answer = raw.wait("</iq>");
            assert!(answer.contains("<not-allowed"), "{answer}");
        } else {
            let end = raw.wait_end();
            let condition =
                if event.ends_with("element") { "<policy-violation" } else { "<not-authorized" };
            assert!(end.contains(condition), "{event}: {end}");
        }
        // Not stopped: the stream is closed.
        let mut raw = Raw::open(&server);
        raw.send(&element.replace("ID", "nobody"));
        let end = raw.wait_end();
        let condition =
            if event.ends_with("element") { "<unsupported-stanza-type" } else { "<not-authorized" };
        assert!(end.contains(condition), "{event}: {end}");
    }
}

#[test]
fn a_stopped_unbind_keeps_the_session() {
    let server = server();
    let mut romeo = Raw::login(&server, "romeo", "kept");
    romeo.send("</stream:stream>");
    romeo.wait_end();
    // `resource-unbind` fires only when another session takes the resource.
    let _other = Raw::login(&server, "romeo", "kept");
    let line = server.wait_record("resource-unbind\tlocalhost\tromeo@localhost/kept");
    assert!(line.contains("replaced by a new session"), "{line}");
}

#[test]
fn authentication_and_binding_can_be_refused() {
    let server = server();
    let mut romeo = Raw::authenticated(&server, "romeo");
    let bind = |resource: &str| {
        format!(
            "<iq type='set' id='{resource}'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'>\
             <resource>{resource}</resource></bind></iq>"
        )
    };
    romeo.send(&bind("refused"));
    let answer = romeo.wait("</iq>");
    assert!(answer.contains("type='error'") && answer.contains("<conflict"), "{answer}");
    romeo.send(&bind("other"));
    let answer = romeo.wait("</iq>");
    assert!(answer.contains("<jid>romeo@localhost/another</jid>"), "{answer}");

    let mut raw = Raw::open(&server);
    let auth = |mechanism: &str| {
        format!(
            "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='{mechanism}'>\
             biwsbj1yb21lbyxyPWE=</auth>"
        )
    };
    raw.send(&auth("SCRAM-SHA-512"));
    let answer = raw.wait("</failure>");
    assert!(answer.contains("<temporary-auth-failure") && answer.contains("refused"), "{answer}");
    server.wait_record("authentication-failure\tlocalhost\ttemporary-auth-failure refused");
    raw.send(&auth("SCRAM-SHA-256"));
    raw.wait("</challenge>");
    server.wait_record("authentication-attempt\tlocalhost\t- SCRAM-SHA-256");
}

#[test]
fn a_stream_to_an_unknown_host_is_closed() {
    let server = server();
    let mut raw = Raw::connect(&server);
    raw.send(&header("elsewhere.example"));
    assert!(raw.wait_end().contains("<host-unknown"));
    assert!(server.records().iter().all(|line| !line.starts_with("stream-features")));
}
