//! Input on the server port from other servers, and from clients that pretend to be servers.

use std::net::SocketAddr;

use spondee_tests::{
    raw::Raw,
    server::{Server, Setup},
};

fn server(top: &str) -> (Server, SocketAddr) {
    let mut server = Server::with(&Setup {
        top: top.into(),
        host: "allow_plaintext = true".into(),
        tables: "[[listen]]\nkind = \"s2s\"\naddress = \"127.0.0.1:0\"\n".into(),
        ..Setup::default()
    });
    let address = server.address("kind=s2s ");
    (server, address)
}

/// The header of a server's stream.
const HEADER: &str = "<stream:stream xmlns='jabber:server' xmlns:db='jabber:server:dialback' \
                      xmlns:stream='http://etherx.jabber.org/streams' from='b.example' \
                      to='localhost' version='1.0'>";

#[test]
fn a_stream_is_answered_in_its_own_namespace() {
    let (server, address) = server("");
    let mut raw = Raw::to(address);
    raw.send(HEADER);
    let answer = raw.wait("</stream:features>");
    for part in ["xmlns='jabber:server'", "from='localhost'", "to='b.example'", "version='1.0'"] {
        assert!(answer.contains(part), "{part}: {answer}");
    }
    assert!(answer.contains("xmlns:db='jabber:server:dialback'"), "{answer}");
    assert!(answer.contains("<starttls "), "{answer}");
    assert!(!answer.contains("mechanism"), "a mechanism is offered without TLS: {answer}");
    server.wait_record("s2s-stream-features\tlocalhost");
    raw.send("</stream:stream>");
    assert!(raw.wait_end().ends_with("</stream:stream>"));
}

#[test]
fn unauthenticated_input_closes_the_stream() {
    let (server, address) = server("");
    let header = |from: &str, to: &str| HEADER.replace(from, to);
    let after = |text: &str| format!("{HEADER}{text}");
    for (input, condition) in [
        (header("jabber:server'", "jabber:client'"), "invalid-namespace"),
        (header("to='localhost'", "to='elsewhere.example'"), "host-unknown"),
        (header("to='localhost'", ""), "host-unknown"),
        (header("to='localhost'", "to='@'"), "host-unknown"),
        (header("from='b.example'", "from=''"), "improper-addressing"),
        (header("from='b.example'", "from='a@b.example'"), "improper-addressing"),
        (header("from='b.example'", "from='localhost'"), "invalid-from"),
        (header("version='1.0'", ""), "unsupported-version"),
        (after("<message from='a@b.example' to='romeo@localhost'/>"), "not-authorized"),
        (after("<message from='juliet@localhost' to='romeo@localhost'/>"), "not-authorized"),
        (
            after("<presence from='a@b.example' to='romeo@localhost' type='subscribe'/>"),
            "not-authorized",
        ),
        (
            after(
                "<iq type='get' id='1' from='b.example' to='localhost'><ping xmlns='urn:xmpp:ping'/></iq>",
            ),
            "not-authorized",
        ),
        (
            after("<iq type='set' id='1'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>"),
            "not-authorized",
        ),
        (after("<handshake xmlns='jabber:component:accept'/>"), "invalid-namespace"),
        (after("<stream:features/>"), "unsupported-stanza-type"),
        (
            after(&format!("<message><body>{}</body></message>", "x".repeat(20_000))),
            "policy-violation",
        ),
        (after("<!DOCTYPE x>"), "restricted-xml"),
        (after("</stream:features>"), "not-well-formed"),
    ] {
        let mut raw = Raw::to(address);
        raw.send(&input);
        let answer = raw.wait_end();
        let expected = format!("<stream:error><{condition} xmlns=");
        assert!(answer.contains(&expected), "{condition} expected for {input:?}: {answer}");
        assert!(answer.ends_with("</stream:stream>"), "not closed for {input:?}: {answer}");
    }
    let seen = server.records();
    assert!(
        !seen.iter().any(|line| line.contains("romeo@localhost") && !line.starts_with("stanza/")),
        "{seen:?}"
    );
}

#[test]
fn a_server_that_does_not_authenticate_in_time_is_closed() {
    let (_server, address) = server("limits.authentication_seconds = 1");
    let mut silent = Raw::to(address);
    assert!(silent.wait_end().contains("<connection-timeout "));
    let mut open = Raw::to(address);
    open.send(HEADER);
    assert!(open.wait_end().contains("<connection-timeout "));
    let mut half = Raw::to(address);
    half.send(&HEADER[..40]);
    assert!(half.wait_end().contains("<connection-timeout "));
}

/// RFC 6120 §4.9.1.2. The name of a host is told to those who named the host.
#[test]
fn an_error_names_no_host_that_the_stranger_did_not_name() {
    let mut server = Server::with(&Setup {
        top: "limits.connections_per_address = 1".into(),
        tables: "[component.\"irc.localhost\"]\nsecret = \"s3cret\"\n\
                 [[listen]]\nkind = \"s2s\"\naddress = \"127.0.0.1:0\"\n\
                 [[listen]]\nkind = \"component\"\naddress = \"127.0.0.1:0\"\n"
            .into(),
        ..Setup::default()
    });
    let kinds = [
        (server.c2s, "jabber:client"),
        (server.address("kind=s2s "), "jabber:server"),
        (server.address("kind=component "), "jabber:component:accept"),
    ];
    for (address, namespace) in kinds {
        let header = HEADER.replace("'jabber:server'", &format!("'{namespace}'"));
        let inputs = [
            "GET / HTTP/1.1\r\n\r\n".to_owned(),
            header.replace("to='localhost'", ""),
            header.replace("to='localhost'", "to='@'"),
            header.replace("to='localhost'", "to='elsewhere.example'"),
            header.replace(namespace, "urn:example:wrong").replace("to='localhost'", ""),
        ];
        for input in inputs {
            let mut raw = Raw::to(address);
            raw.send(&input);
            let answer = raw.wait_end();
            assert!(answer.contains(" from='' "), "{input}: {answer}");
            assert!(!answer.contains("localhost"), "{input}: {answer}");
        }
    }
    // Not even where one connection is too many.
    let _held = Raw::connect_from_elsewhere(&server);
    let refused = Raw::connect_from_elsewhere(&server).wait_end();
    assert!(refused.contains(" from='' ") && !refused.contains("localhost"), "{refused}");
}
