//! The events of the server, its streams and stanzas, observed over a socket by a module that
//! records each event.

use spondee_tests::{
    raw::{Raw, header},
    server::{Server, Setup},
};

fn server() -> Server {
    Server::with(&Setup { host: "allow_plaintext = true".into(), ..Setup::default() })
}

/// Sends a ping and waits for its answer, which means that earlier stanzas have been handled.
fn sync(raw: &mut Raw) {
    raw.send("<iq type='get' id='sync' to='localhost'><ping xmlns='urn:xmpp:ping'/></iq>");
    raw.wait("id='sync'");
}

/// The records of some events, in order, without those that `sync` causes.
fn records(server: &Server, prefixes: &[&str]) -> Vec<String> {
    let mut records = server.records();
    records.retain(|line| {
        prefixes.iter().any(|prefix| line.starts_with(prefix)) && !line.contains("id='sync'")
    });
    records
}

/// The names of the events that the stanza with this id fired, in order.
fn fired(server: &Server, id: &str) -> Vec<String> {
    let id = format!("id='{id}'");
    let records = server.records().into_iter().filter(|line| line.contains(&id));
    records.map(|line| line.split('\t').next().unwrap_or_default().to_owned()).collect()
}

#[test]
fn events_of_the_server_fire_at_start_reload_and_stop() {
    let mut server = server();
    // `server-started` fires after the listeners have opened.
    server.wait_record("server-started");
    assert_eq!(
        records(&server, &["server-"]),
        ["server-starting\tlocalhost\t-", "server-started\tlocalhost\t-"]
    );
    let mut romeo = Raw::login(&server, "romeo", "orchard");

    let config = std::fs::read_to_string(server.config()).unwrap();
    std::fs::write(
        server.config(),
        format!("{config}\n[component.\"irc.localhost\"]\nsecret = \"s3cr3t\"\n"),
    )
    .unwrap();
    server.signal("HUP");
    let reloaded = server.wait_record("config-reloaded\tlocalhost\ttoml");
    assert!(reloaded.contains("irc.localhost"), "{reloaded}");
    assert!(!server.records().join("\n").contains("s3cr3t"), "a secret was given to a module");

    server.signal("TERM");
    let end = romeo.wait_end();
    assert!(end.contains("<system-shutdown xmlns="), "{end}");
    assert!(server.wait().success());
    let life = records(&server, &["server-stop", "pre-resource-unbind", "resource-unbind"]);
    let names: Vec<_> = life.iter().map(|line| line.split('\t').next().unwrap()).collect();
    assert_eq!(
        names,
        ["server-stopping", "pre-resource-unbind", "resource-unbind", "server-stopped"]
    );
}

#[test]
fn an_invalid_config_is_reported_and_the_old_one_stays() {
    let mut server = server();
    std::fs::write(server.config(), "hosts = 1\n").unwrap();
    server.signal("HUP");
    server.wait_log(|line| line.contains("spondee.toml:1") && line.contains("hosts"));
    Raw::login(&server, "romeo", "orchard");
    assert!(records(&server, &["config-reloaded"]).is_empty());
}

#[test]
fn events_of_a_session_fire_from_authentication_to_unbinding() {
    let server = server();
    let mut raw = Raw::open(&server);
    raw.send(
        "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>AHJvbWVvAHdyb25n</auth>",
    );
    raw.wait("</failure>");
    server.wait_record("authentication-failure\tlocalhost\tnot-authorized");
    drop(raw);

    let mut raw = Raw::login(&server, "romeo", "orchard");
    raw.send("</stream:stream>");
    raw.wait_end();
    server.wait_record("resource-unbind");
    let life = records(
        &server,
        &[
            "stanza/urn:ietf:params:xml:ns:xmpp-sasl",
            "authentication-success",
            "stanza/iq",
            "resource-",
            "pre-resource-",
        ],
    );
    let life: Vec<_> = life
        .iter()
        .skip(1)
        .map(|line| {
            let mut parts = line.split('\t');
            (parts.next().unwrap(), parts.nth(1).unwrap().split(' ').next().unwrap())
        })
        .collect();
    let orchard = "romeo@localhost/orchard";
    assert_eq!(
        life,
        [
            ("stanza/urn:ietf:params:xml:ns:xmpp-sasl:auth", "auth"),
            ("authentication-success", "romeo@localhost"),
            ("stanza/iq/urn:ietf:params:xml:ns:xmpp-bind:bind", "<iq"),
            ("pre-resource-bind", "romeo@localhost"),
            ("resource-bind", orchard),
            ("pre-resource-unbind", orchard),
            ("resource-unbind", orchard),
        ]
    );
    // The features are sent before and after authentication, and not after binding.
    let features = records(&server, &["stream-features"]);
    let who: Vec<_> = features
        .iter()
        .map(|line| line.split('\t').nth(2).unwrap().split(' ').next().unwrap())
        .collect();
    assert_eq!(who, ["-", "-", "romeo@localhost"]);
}

#[test]
fn stanzas_before_binding_fire_stream_events() {
    let server = server();
    for (stanza, event) in [
        ("<message to='juliet@localhost'/>", "stanza/message\tlocalhost\t<message"),
        ("<presence/>", "stanza/presence\tlocalhost\t<presence"),
    ] {
        let mut raw = Raw::open(&server);
        raw.send(stanza);
        raw.wait_end();
        server.wait_record(event);
    }
    let mut raw = Raw::connect(&server);
    raw.send(&header("localhost"));
    raw.wait("</stream:features>");
    raw.send("<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>");
    raw.wait("<proceed");
    server.wait_record("stanza/urn:ietf:params:xml:ns:xmpp-tls:starttls\tlocalhost\t<starttls");
}

#[test]
fn messages_fire_events_before_and_after_routing() {
    let server = server();
    let _juliet = Raw::login(&server, "juliet", "balcony");
    let mut romeo = Raw::login(&server, "romeo", "orchard");
    for (id, to, events) in [
        ("full", "to='juliet@localhost/balcony'", vec!["pre-message/full", "message/full"]),
        (
            "bare",
            "to='juliet@localhost'",
            vec!["pre-message/bare", "message/bare", "message/offline/handle"],
        ),
        ("host", "to='localhost'", vec!["pre-message/host", "message/host"]),
        (
            "none",
            "",
            vec!["pre-message/bare", "message/bare", "message/self", "message/offline/handle"],
        ),
        (
            "own",
            "to='romeo@localhost'",
            vec!["pre-message/bare", "message/bare", "message/self", "message/offline/handle"],
        ),
        ("remote", "to='juliet@elsewhere.example'", vec!["pre-message/bare", "route/remote"]),
    ] {
        romeo.send(&format!("<message id='{id}' {to}><body>hi</body></message>"));
        sync(&mut romeo);
        assert_eq!(fired(&server, id), events, "{id}");
    }
    // In a message to the sender's own account, `to` is removed and `from` is set.
    let own = records(&server, &["message/self"]);
    assert_eq!(own.len(), 2);
    for line in own {
        assert!(
            !line.contains(" to='") && line.contains("from='romeo@localhost/orchard'"),
            "{line}"
        );
    }
}

#[test]
fn presence_fires_events_before_and_after_routing() {
    let server = server();
    let _juliet = Raw::login(&server, "juliet", "balcony");
    // Romeo's other client receives the broadcast.
    let mut street = Raw::login(&server, "romeo", "street");
    street.send("<presence/>");
    sync(&mut street);
    let mut romeo = Raw::login(&server, "romeo", "orchard");
    for (id, stanza, events) in [
        (
            "first",
            "<presence id='first'/>",
            vec![
                "pre-presence/bare",
                "presence/bare",
                "presence/self",
                "presence/initial",
                "presence/full",
            ],
        ),
        (
            "second",
            "<presence id='second'/>",
            vec!["pre-presence/bare", "presence/bare", "presence/self", "presence/full"],
        ),
        (
            "full",
            "<presence id='full' to='juliet@localhost/balcony'/>",
            vec!["pre-presence/full", "presence/full"],
        ),
        (
            "bare",
            "<presence id='bare' to='juliet@localhost'/>",
            vec!["pre-presence/bare", "presence/bare"],
        ),
        (
            "host",
            "<presence id='host' to='localhost'/>",
            vec!["pre-presence/host", "presence/host"],
        ),
    ] {
        romeo.send(stanza);
        sync(&mut romeo);
        assert_eq!(fired(&server, id), events, "{id}");
    }
}

#[test]
fn iq_stanzas_fire_events_before_and_after_routing() {
    let server = server();
    let mut juliet = Raw::login(&server, "juliet", "balcony");
    let mut romeo = Raw::login(&server, "romeo", "orchard");
    let version = "<query xmlns='jabber:iq:version'/>";
    let private = "<query xmlns='jabber:iq:private'/>";
    for (kind, id, to, child, events) in [
        ("get", "full", "to='juliet@localhost/balcony'", version, vec!["pre-iq/full", "iq/full"]),
        (
            "get",
            "host",
            "to='localhost'",
            version,
            vec![
                "pre-iq/host",
                "iq/host",
                "iq/host/jabber:iq:version:query",
                "iq-get/host/jabber:iq:version:query",
            ],
        ),
        (
            "get",
            "bare",
            "to='juliet@localhost'",
            version,
            vec![
                "pre-iq/bare",
                "iq/bare",
                "iq/bare/jabber:iq:version:query",
                "iq-get/bare/jabber:iq:version:query",
            ],
        ),
        (
            "get",
            "own",
            "",
            version,
            vec![
                "pre-iq/bare",
                "iq/bare",
                "iq/self",
                "iq/bare/jabber:iq:version:query",
                "iq/self/jabber:iq:version:query",
                "iq-get/bare/jabber:iq:version:query",
                "iq-get/self/jabber:iq:version:query",
            ],
        ),
        (
            "set",
            "set-host",
            "to='localhost'",
            private,
            vec!["pre-iq/host", "iq/host", "iq-set/host/jabber:iq:private:query"],
        ),
        (
            "set",
            "set-bare",
            "to='juliet@localhost'",
            private,
            vec!["pre-iq/bare", "iq/bare", "iq-set/bare/jabber:iq:private:query"],
        ),
        (
            "set",
            "set-own",
            "to='romeo@localhost'",
            private,
            vec![
                "pre-iq/bare",
                "iq/bare",
                "iq/self",
                "iq-set/bare/jabber:iq:private:query",
                "iq-set/self/jabber:iq:private:query",
            ],
        ),
    ] {
        romeo.send(&format!("<iq type='{kind}' id='{id}' {to}>{child}</iq>"));
        sync(&mut romeo);
        assert_eq!(fired(&server, id), events, "{id}");
    }
    assert!(juliet.wait("id='full'").contains("<iq"), "not delivered");

    for kind in ["result", "error"] {
        for (to, at) in
            [("to='localhost'", "host"), ("to='juliet@localhost'", "bare"), ("", "self")]
        {
            let before = fired(&server, "recorded").len();
            romeo.send(&format!("<iq type='{kind}' id='recorded' {to}><x xmlns='urn:x'/></iq>"));
            sync(&mut romeo);
            let events = fired(&server, "recorded").split_off(before);
            let last = format!("iq-{kind}/{at}/recorded");
            assert_eq!(events.last(), Some(&last), "{events:?}");
            if at == "self" {
                assert!(events.contains(&format!("iq-{kind}/bare/recorded")), "{events:?}");
            }
        }
    }
}
