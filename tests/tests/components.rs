//! External components (XEP-0114) over sockets: what they may do, and what happens while they are
//! not connected.

use std::net::SocketAddr;

use sha1::{Digest, Sha1};
use spondee_tests::{
    raw::Raw,
    server::{Server, Setup},
};

const SECRET: &str = "s3cret";

/// A server with a component host and a host that accepts no component.
fn server(top: &str) -> (Server, SocketAddr) {
    let mut server = Server::with(&Setup {
        top: top.into(),
        host: "allow_plaintext = true".into(),
        tables: format!(
            "[component.\"irc.localhost\"]\nsecret = \"{SECRET}\"\nmodules = [\"+recorder\"]\n\
             [component.\"irc.localhost\".module.recorder]\nfile = RECORDS\n\
             [component.\"irc.localhost\".module.component]\nname = \"Chat\"\n\
             [component.\"quiet.localhost\"]\n\
             [[listen]]\nkind = \"component\"\naddress = \"127.0.0.1:0\"\n"
        ),
        ..Setup::default()
    });
    let address = server.address("kind=component ");
    (server, address)
}

/// The header of a component's stream.
fn header(to: &str) -> String {
    format!(
        "<stream:stream xmlns='jabber:component:accept' to='{to}' \
         xmlns:stream='http://etherx.jabber.org/streams'>"
    )
}

/// Opens a stream. Returns the connection and the id of the stream.
fn open(address: SocketAddr) -> (Raw, String) {
    let mut raw = Raw::to(address);
    raw.send(&header("irc.localhost"));
    let answer = raw.wait("id='");
    assert!(answer.contains("xmlns='jabber:component:accept'"), "{answer}");
    assert!(
        answer.contains("from='irc.localhost'") && !answer.contains("version='1.0' "),
        "{answer}"
    );
    let id = raw.wait("'>");
    (raw, id.trim_end_matches("'>").to_owned())
}

fn handshake(id: &str, secret: &str) -> String {
    let hash = Sha1::digest(format!("{id}{secret}"));
    let hex: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("<handshake>{hex}</handshake>")
}

/// Connects a component and authenticates it.
fn connect(address: SocketAddr) -> Raw {
    let (mut raw, id) = open(address);
    raw.send(&handshake(&id, SECRET));
    let answer = raw.wait("/>");
    assert!(answer.starts_with("<handshake"), "{answer}");
    raw
}

/// Asserts that the stream ends with the error and a closing tag.
fn assert_ends(raw: &mut Raw, condition: &str, input: &str) {
    let answer = raw.wait_end();
    let expected = format!("<stream:error><{condition} xmlns=");
    assert!(answer.contains(&expected), "{condition} expected for {input:?}: {answer}");
    assert!(answer.ends_with("</stream:stream>"), "not closed for {input:?}: {answer}");
}

/// The component events so far.
fn events(server: &Server) -> Vec<String> {
    let records = server.records().into_iter();
    records.filter(|line| line.starts_with("component-")).collect()
}

#[test]
fn clients_and_a_component_exchange_stanzas() {
    let (server, address) = server("");
    let mut romeo = Raw::login(&server, "romeo", "orchard");
    let mut component = connect(address);
    server.wait_record("component-authenticated\tirc.localhost\tirc.localhost");
    let message = "<message from='romeo@localhost/orchard' to='#a%b@irc.localhost/nick' \
                   type='chat' id='m1'><body>&lt;hi&gt;</body></message>";
    romeo.send(message);
    assert_eq!(component.wait("</message>"), message);
    romeo.send("<presence to='irc.localhost'/>");
    assert_eq!(
        component.wait("/>"),
        "<presence to='irc.localhost' from='romeo@localhost/orchard'/>"
    );
    romeo.send("<iq type='get' id='q1' to='irc.localhost'><q xmlns='urn:q'/></iq>");
    let request = component.wait("</iq>");
    assert!(request.contains("from='romeo@localhost/orchard'"), "{request}");
    component.send(
        "<iq type='result' id='q1' from='irc.localhost' to='romeo@localhost/orchard'>\
         <q xmlns='urn:q'/></iq>",
    );
    let answer = romeo.wait("</iq>");
    assert!(
        answer.contains("from='irc.localhost'") && answer.contains("type='result'"),
        "{answer}"
    );
    let message = "<message from='any.one@irc.localhost/x' to='romeo@localhost/orchard' \
                   type='chat'><body>b</body></message>";
    component.send(message);
    assert_eq!(romeo.wait("</message>"), message);
    // The server accepts stanzas that declare the component's namespace, or that of clients, which
    // many libraries send.
    for namespace in ["jabber:component:accept", "jabber:client"] {
        component.send(&format!("<message xmlns='{namespace}' from='irc.localhost' to='romeo@localhost/orchard' type='chat'><body>{namespace}</body></message>"));
        let message = romeo.wait("</message>");
        assert!(message.contains(&format!("<body>{namespace}</body>")), "{message}");
        assert!(!message.contains("xmlns="), "{message}");
    }
    // The component sends a query.
    component.send("<iq type='get' id='p1' from='c@irc.localhost' to='localhost'><ping xmlns='urn:xmpp:ping'/></iq>");
    let pong = component.wait("/>");
    assert!(pong.contains("type='result'") && pong.contains("to='c@irc.localhost'"), "{pong}");
}

#[test]
fn events_fire_when_a_component_connects_and_disconnects() {
    let (server, address) = server("");
    let mut component = connect(address);
    component.send("</stream:stream>");
    assert!(component.wait_end().ends_with("</stream:stream>"));
    server.wait_record("component-disconnected\tirc.localhost\tirc.localhost -");
    connect(address).cut();
    server.wait_record("component-disconnected\tirc.localhost\tirc.localhost connection");
    let mut third = connect(address);
    third.send(
        "<stream:error><conflict xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>",
    );
    third.wait_end();
    server.wait_record("component-disconnected\tirc.localhost\tirc.localhost the other side ended");
    // An incomplete stanza is not routed.
    let mut romeo = Raw::login(&server, "romeo", "orchard");
    let mut fourth = connect(address);
    fourth.send("<message from='irc.localhost' to='romeo@localhost/orchard'><body>half</bo");
    fourth.cut();
    while events(&server).len() < 8 {
        std::thread::yield_now();
    }
    romeo.send("<iq type='get' id='end' to='localhost'><ping xmlns='urn:xmpp:ping'/></iq>");
    assert!(!romeo.wait("id='end'").contains("<message"));
    let names: Vec<_> = events(&server).iter().map(|line| line[10..15].to_owned()).collect();
    assert_eq!(names, ["authe", "disco"].repeat(4));
}

#[test]
fn connections_that_must_be_refused() {
    let (server, address) = server("");
    let (mut raw, id) = open(address);
    raw.send(&handshake(&id, "wrong"));
    assert_ends(&mut raw, "not-authorized", "a wrong secret");
    for to in ["elsewhere.example", "localhost", "quiet.localhost", "", "not a host"] {
        let mut raw = Raw::to(address);
        raw.send(&header(to));
        assert_ends(&mut raw, "host-unknown", to);
    }
    let first = header("irc.localhost");
    for (input, condition) in [
        (first.replace("jabber:component:accept", "jabber:client"), "invalid-namespace"),
        (first.replace("jabber:component:accept", "jabber:server"), "invalid-namespace"),
        (first.replace("jabber:component:accept", "jabber:component:connect"), "invalid-namespace"),
        (first.replace(" to='irc.localhost'", ""), "host-unknown"),
        (format!("{first}<handshake/>"), "not-authorized"),
        (format!("{first}<handshake xmlns='jabber:client'/>"), "not-authorized"),
        (format!("{first}<handshake xmlns='jabber:server'/>"), "invalid-namespace"),
        (format!("{first}<message from='irc.localhost' to='romeo@localhost'/>"), "not-authorized"),
        (
            format!(
                "{first}<iq type='get' id='1' from='irc.localhost' to='localhost'><ping xmlns='urn:xmpp:ping'/></iq>"
            ),
            "not-authorized",
        ),
        (
            format!("{first}<message><body>{}</body></message>", "x".repeat(20_000)),
            "policy-violation",
        ),
        (
            format!("{first}<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'/>"),
            "unsupported-stanza-type|not-authorized",
        ),
        (format!("{first}</wrong>"), "not-well-formed"),
    ] {
        let mut raw = Raw::to(address);
        raw.send(&input);
        let answer = raw.wait_end();
        let is_right = condition.split('|').any(|one| answer.contains(&format!("<{one} xmlns=")));
        assert!(is_right, "{condition} expected for {input:?}: {answer}");
        assert!(answer.ends_with("</stream:stream>"), "not closed for {input:?}: {answer}");
    }
    // A refused component fires no event.
    assert_eq!(events(&server), [""; 0]);
    let mut component = connect(address);
    let (mut second, id) = open(address);
    second.send(&handshake(&id, SECRET));
    // The connected component is asked whether it is alive.
    let ping = component.wait("</iq>");
    let id = ping.rsplit(" id='").next().unwrap().split('\'').next().unwrap();
    component.send(&format!("<iq type='result' id='{id}' from='irc.localhost' to='localhost'/>"));
    assert_ends(&mut second, "conflict", "a second component");
    let mut romeo = Raw::login(&server, "romeo", "orchard");
    romeo.send("<message to='irc.localhost' id='still'/>");
    assert!(component.wait("/>").contains("id='still'"));
    assert_eq!(events(&server).len(), 1);
}

#[test]
fn a_dead_component_is_replaced() {
    let (server, address) = server("");
    let mut dead = connect(address);
    let mut second = connect(address);
    assert!(dead.wait_end().contains("<conflict "), "the dead component's stream is not closed");
    let mut romeo = Raw::login(&server, "romeo", "orchard");
    romeo.send("<message to='irc.localhost' id='here'/>");
    assert!(second.wait("/>").contains("id='here'"));
}

#[test]
fn stanzas_that_close_the_stream_of_a_component() {
    let (server, address) = server("");
    for (stanza, condition) in [
        ("<message from='juliet@localhost' to='romeo@localhost'/>", "invalid-from"),
        ("<message from='irc.localhost.example' to='romeo@localhost'/>", "invalid-from"),
        ("<presence from='a@sub.irc.localhost' to='romeo@localhost'/>", "invalid-from"),
        (
            "<iq type='result' id='1' from='localhost' to='romeo@localhost/orchard'/>",
            "invalid-from",
        ),
        ("<message to='romeo@localhost'/>", "invalid-from"),
        ("<message from='' to='romeo@localhost'/>", "invalid-from"),
        ("<message from='@' to='romeo@localhost'/>", "invalid-from"),
        ("<handshake>again</handshake>", "unsupported-stanza-type"),
        ("<a><!-- comment --></a>", "restricted-xml"),
    ] {
        let mut component = connect(address);
        let mut romeo = Raw::login(&server, "romeo", "orchard");
        component.send(stanza);
        assert_ends(&mut component, condition, stanza);
        romeo.send("<iq type='get' id='end' to='localhost'><ping xmlns='urn:xmpp:ping'/></iq>");
        let seen = romeo.wait("id='end'");
        assert!(!seen.contains("<message") && !seen.contains("<presence"), "{seen}");
        romeo.cut();
        server.wait_record("component-disconnected");
        while events(&server).len() % 2 == 1 {
            std::thread::yield_now();
        }
    }
}

#[test]
fn malformed_stanzas_come_back_to_the_component() {
    let (_server, address) = server("");
    let mut component = connect(address);
    for (stanza, condition) in [
        ("<message from='a@irc.localhost' id='1'><body>b</body></message>", "bad-request"),
        ("<message from='a@irc.localhost' to='' id='1'/>", "bad-request"),
        ("<message from='a@irc.localhost' to='@' id='1'/>", "jid-malformed"),
        ("<iq from='a@irc.localhost' to='localhost' id='1'/>", "bad-request"),
        ("<iq from='a@irc.localhost' to='localhost' id='1' type='neither'/>", "bad-request"),
        (
            "<iq from='a@irc.localhost' to='localhost' type='get'><q xmlns='urn:q'/></iq>",
            "bad-request",
        ),
        ("<iq from='a@irc.localhost' to='localhost' id='1' type='get'/>", "bad-request"),
        (
            "<iq from='a@irc.localhost' to='localhost' id='1' type='set'><q xmlns='urn:q'/><q xmlns='urn:q'/></iq>",
            "bad-request",
        ),
        (
            "<iq from='a@irc.localhost' to='localhost' id='1' type='get'><q xmlns='urn:q'/></iq>",
            "service-unavailable",
        ),
    ] {
        component.send(stanza);
        let kind = &stanza[1..stanza.find(' ').unwrap()];
        let answer = component.wait(&format!("</{kind}>"));
        assert!(answer.contains(&format!("<{condition} ")), "{stanza}: {answer}");
        assert!(answer.contains("to='a@irc.localhost'"), "{stanza}: {answer}");
    }
    // These get no answer.
    component.send("<message from='a@irc.localhost' type='error'><error type='cancel'/></message>");
    component.send("<message from='a@irc.localhost' to='romeo@localhost' type='error'/>");
    component.send("<iq from='a@irc.localhost' to='localhost' type='result' id='2'/>");
    component.send("<iq from='a@irc.localhost' to='localhost' type='get' id='end'><ping xmlns='urn:xmpp:ping'/></iq>");
    let rest = component.wait("/>");
    assert!(rest.contains("id='end'") && rest.starts_with("<iq "), "{rest}");
}

#[test]
fn senders_get_errors_while_the_component_is_not_connected() {
    let (server, address) = server("");
    let mut romeo = Raw::login(&server, "romeo", "orchard");
    for stanza in [
        "<message to='a@irc.localhost' id='1'><body>b</body></message>",
        "<presence to='a@irc.localhost/b' id='1'/>",
        "<iq to='irc.localhost' type='get' id='1'><q xmlns='urn:q'/></iq>",
    ] {
        romeo.send(stanza);
        let kind = &stanza[1..stanza.find(' ').unwrap()];
        let answer = romeo.wait(&format!("</{kind}>"));
        assert!(
            answer.contains("<remote-server-timeout ") && answer.contains("'wait'"),
            "{answer}"
        );
    }
    romeo.send("<iq to='irc.localhost' type='result' id='1'/>");
    romeo.send("<message to='a@irc.localhost' type='error'><error type='cancel'/></message>");
    romeo.send("<iq to='irc.localhost' type='get' id='1'><query xmlns='http://jabber.org/protocol/disco#info'/></iq>");
    let answer = romeo.wait("</iq>");
    assert!(answer.starts_with("<iq ") && answer.contains("name='Chat'"), "{answer}");
    connect(address).cut();
    server.wait_record("component-disconnected");
    romeo.send("<message to='a@irc.localhost' id='2'/>");
    assert!(romeo.wait("</message>").contains("<remote-server-timeout "));
}

#[test]
fn a_component_that_does_not_read_affects_only_its_senders() {
    let (server, address) = server("limits.server_queue_bytes = 65536");
    let mut component = connect(address);
    let mut romeo = Raw::login(&server, "romeo", "orchard");
    let body = "x".repeat(8000);
    let mut sent = 0;
    // Sends more than the sockets and the queue hold.
    let answer = loop {
        romeo.send(&format!(
            "<message to='irc.localhost' id='{sent}'><body>{body}</body></message>"
        ));
        sent += 1;
        romeo.send("<iq type='get' id='p' to='localhost'><ping xmlns='urn:xmpp:ping'/></iq>");
        let answer = romeo.wait("id='p'");
        if answer.contains("<message") {
            break answer;
        }
        assert!(sent < 10_000, "no message was refused");
    };
    assert!(answer.contains("<remote-server-timeout "), "{answer}");
    // Other stanzas are still handled.
    let mut juliet = Raw::login(&server, "juliet", "balcony");
    juliet.send("<iq type='get' id='p' to='localhost'><ping xmlns='urn:xmpp:ping'/></iq>");
    juliet.wait("id='p'");
    // The component receives every accepted message once it reads.
    for id in 0..sent - 1 {
        let message = component.wait("</message>");
        assert!(message.contains(&format!("id='{id}'")), "{}", &message[..200]);
    }
    assert_eq!(events(&server).len(), 1);
}

#[test]
fn a_silent_component_is_closed() {
    let (_server, address) = server("limits.authentication_seconds = 1");
    let mut silent = Raw::to(address);
    assert_ends(&mut silent, "connection-timeout", "nothing");
    let (mut open, _) = open(address);
    assert_ends(&mut open, "connection-timeout", "only a header");
    let (mut half, id) = self::open(address);
    half.send(&handshake(&id, SECRET)[..20]);
    assert_ends(&mut half, "connection-timeout", "half a handshake");
}

#[test]
fn the_log_never_contains_the_secret() {
    let (mut server, address) = server("log.level = \"trace\"");
    connect(address).cut();
    let (mut raw, id) = open(address);
    raw.send(&handshake(&id, "wrong"));
    raw.wait_end();
    server.signal("HUP");
    server.wait_log(|line| line.contains("config reloaded"));
    server.signal("TERM");
    server.wait_log(|line| line.contains("stopped"));
    let proof = handshake(&id, SECRET);
    let told = server.log_so_far();
    let leak = told.iter().find(|line| line.contains(SECRET) || line.contains(&proof[11..51]));
    assert_eq!(leak, None);
    assert!(server.records().iter().all(|line| !line.contains(SECRET)));
}
