//! Streams between servers: two servers that federate, and peers that break the rules.
#![expect(clippy::unwrap_used, reason = "a test that cannot continue has failed")]

use std::{io::ErrorKind, net::TcpListener};

use spondee_tests::{
    federation::{Lab, Peer, Place, header},
    raw::Raw,
    server::Server,
};

struct Two {
    one: Server,
    two: Server,
}

fn two(lab: &Lab) -> Two {
    let (one, two) = (Place::new("one.example"), Place::new("two.example"));
    Two { one: lab.server(&one, &[&two]), two: lab.server(&two, &[&one]) }
}

impl Two {
    fn romeo(&self) -> Raw {
        Raw::login_at(&self.one, "romeo", "one.example", "r")
    }

    fn juliet(&self) -> Raw {
        let mut juliet = Raw::login_at(&self.two, "juliet", "two.example", "j");
        juliet.send("<presence/>");
        juliet
    }
}

fn message(id: &str) -> String {
    format!("<message to='juliet@two.example/j' type='chat' id='{id}'><body>{id}</body></message>")
}

fn exchange(servers: &Two, mechanism: &str) {
    let (mut romeo, mut juliet) = (servers.romeo(), servers.juliet());
    for id in ["m1", "m2", "m3"] {
        romeo.send(&message(id));
    }
    let mut came = String::new();
    for id in ["m1", "m2", "m3"] {
        came += &juliet.wait(&format!("<body>{id}</body></message>"));
    }
    assert_eq!(came.matches("from='romeo@one.example/r'").count(), 3, "{came}");
    juliet.send("<iq type='get' id='q1' to='one.example'><query xmlns='jabber:iq:version'/></iq>");
    assert!(juliet.wait("</iq>").contains("Spondee"));
    juliet
        .send("<iq type='get' id='q2' to='romeo@one.example/r'><ping xmlns='urn:xmpp:ping'/></iq>");
    let asked = romeo.wait("<ping xmlns='urn:xmpp:ping'/></iq>");
    let id = asked.rsplit("id='").next().unwrap().split('\'').next().unwrap();
    romeo.send(&format!("<iq type='result' id='{id}' to='juliet@two.example/j'/>"));
    assert!(juliet.wait("/>").contains("id='q2'"));

    let authenticated = format!("s2s-authenticated\tone.example\ttwo.example {mechanism}");
    servers.one.wait_record(&authenticated);
    servers.one.wait_record("s2sout-established\tone.example\ttwo.example");
    servers.one.wait_record("s2sin-established\tone.example\ttwo.example");
    servers.two.wait_record("s2sin-established\ttwo.example\tone.example");
    let proof = match mechanism {
        "EXTERNAL" => "one.example 1 true true",
        _ => "one.example 1 false true",
    };
    servers.two.wait_record(&format!("s2s-check-certificate\ttwo.example\t{proof}"));
    servers.two.wait_record("s2s-stream-features\ttwo.example");
}

/// Content namespaces have one meaning on all streams (RFC 6120 §4.8.3): what a filter here takes for
/// a body, or does not, is the same for the other server and for its client.
#[test]
fn a_child_in_a_content_namespace_is_the_same_for_both_servers() {
    let servers = two(&Lab::external());
    let (mut romeo, mut juliet) = (servers.romeo(), servers.juliet());
    for (number, namespace) in
        ["jabber:server", "jabber:client", "jabber:component:accept"].iter().enumerate()
    {
        let content = format!(
            "<body xmlns='{namespace}'>b{number}</body><f xmlns='urn:f'>\
             <p:message xmlns:p='{namespace}'><p:body/></p:message></f></message>"
        );
        let expected = format!(
            "<body>b{number}</body><f xmlns='urn:f'><message xmlns='jabber:client'><body/>\
             </message></f></message>"
        );
        romeo.send(&format!("<message to='juliet@two.example/j'>{content}"));
        let came = juliet.wait("</f></message>");
        assert!(came.ends_with(&expected), "{came}");
        juliet.send(&format!("<message to='romeo@one.example/r'>{content}"));
        let came = romeo.wait("</f></message>");
        assert!(came.ends_with(&expected), "{came}");
    }
}

#[test]
fn servers_that_trust_each_others_certificates_federate() {
    exchange(&two(&Lab::external()), "EXTERNAL");
}

#[test]
fn servers_that_use_dialback_federate() {
    exchange(&two(&Lab::dialback()), "dialback");
}

#[test]
fn federation_resumes_after_either_side_restarts() {
    let mut servers = two(&Lab::external());
    let mut romeo = servers.romeo();
    let mut juliet = servers.juliet();
    romeo.send(&message("before"));
    juliet.wait("<body>before</body>");
    juliet.send("<message to='romeo@one.example/r' id='yes'><body>yes</body></message>");
    romeo.wait("<body>yes</body>");

    servers.two.stop();
    servers.one.wait_record("s2sout-destroyed\tone.example\ttwo.example");
    servers.one.wait_record("s2sin-destroyed\tone.example\ttwo.example");
    romeo.send(&message("nobody-there"));
    // Stanzas that were sent just before may come back too, because their arrival is unknown.
    romeo.wait("id='nobody-there'");
    let error = romeo.wait("</message>");
    assert!(error.contains("<remote-server-timeout "), "{error}");
    assert!(error.contains("from='juliet@two.example/j'"), "{error}");

    servers.two.start_again();
    let mut juliet = servers.juliet();
    juliet.send("<message to='romeo@one.example/r' id='back'><body>back</body></message>");
    romeo.wait("<body>back</body>");
    romeo.send(&message("after"));
    juliet.wait("<body>after</body>");

    servers.one.stop();
    juliet.send("<message to='romeo@one.example/r' id='gone'><body>gone</body></message>");
    juliet.wait("id='gone'");
    let error = juliet.wait("</message>");
    assert!(error.contains("<remote-server-timeout "), "{error}");
    servers.one.start_again();
    let mut romeo = servers.romeo();
    romeo.send(&message("again"));
    juliet.wait("<body>again</body>");
}

/// Every message sent before the other side stops either arrives or comes back.
#[test]
fn nothing_is_lost_when_a_server_stops() {
    let mut servers = two(&Lab::external());
    let mut romeo = servers.romeo();
    let mut juliet = servers.juliet();
    romeo.send(&message("first"));
    juliet.wait("<body>first</body>");
    const COUNT: usize = 300;
    for number in 0..COUNT {
        romeo.send(&message(&format!("n{number}")));
        if number == COUNT / 2 {
            servers.two.signal("TERM");
        }
    }
    let came = juliet.wait_end();
    assert!(servers.two.wait().success());
    let mut fates = String::new();
    for number in 0..COUNT {
        let arrived = came.matches(&format!("<body>n{number}</body>")).count();
        assert!(arrived <= 1, "n{number} arrived twice");
        if arrived == 0 && !fates.contains(&format!("id='n{number}'")) {
            loop {
                fates += &romeo.wait("</message>");
                if fates.ends_with("</message>") && fates.contains(&format!("id='n{number}'")) {
                    break;
                }
            }
        }
    }
    assert!(fates.is_empty() || fates.contains("<remote-server-timeout "), "{fates}");
}

#[test]
fn stanzas_for_unreachable_servers_come_back() {
    let place = Place::new("one.example");
    let (silent, deaf) = (Place::new("silent.example"), Place::new("deaf.example"));
    let server = Lab::external().server(&place, &[&silent, &deaf]);
    let mut romeo = Raw::login_at(&server, "romeo", "one.example", "r");
    // No process listens on this port.
    romeo.send("<message to='a@silent.example' id='m1'><body>?</body></message>");
    let error = romeo.wait("</message>");
    assert!(error.contains("<remote-server-timeout ") && error.contains("id='m1'"), "{error}");
    romeo.send("<iq type='get' to='silent.example' id='q'><ping xmlns='urn:xmpp:ping'/></iq>");
    assert!(romeo.wait("</iq>").contains("<remote-server-timeout "));
    // This peer closes at once.
    let listener = TcpListener::bind(deaf.s2s).unwrap();
    let closes = std::thread::spawn(move || drop(listener.accept().unwrap()));
    romeo.send("<presence to='a@deaf.example' id='p'/>");
    let error = romeo.wait("</presence>");
    assert!(error.contains("<remote-server-timeout "), "{error}");
    closes.join().unwrap();
}

fn with_lab(lab: &Lab) -> (Server, Place) {
    let place = Place::new("one.example");
    (lab.server(&place, &[]), place)
}

const STANZA: &str =
    "<message from='x@other.example' to='romeo@one.example'><body>!</body></message>";

#[test]
fn untrusted_certificates_are_refused() {
    let lab = Lab::external();
    let (_server, place) = with_lab(&lab);
    for certificate in [
        None,
        Some(lab.certificate("wrong.example")),
        Some(lab.expired("other.example")),
        Some(Lab::self_signed("other.example")),
        Some(Lab::external().certificate("other.example")),
    ] {
        let (mut peer, features) = Peer::connect("other.example", &place, certificate);
        assert!(!features.contains("EXTERNAL"), "{features}");
        let end = if features.contains("<not-authorized ") {
            features
        } else {
            peer.wait("</stream:stream>")
        };
        assert!(end.contains("<not-authorized "), "{end}");
    }
}

#[test]
fn stanzas_of_unproved_domains_close_the_stream() {
    let lab = Lab::external();
    let (server, place) = with_lab(&lab);
    let mut romeo = Raw::login_at(&server, "romeo", "one.example", "r");
    let right = lab.certificate("other.example");
    let (mut peer, features) = Peer::connect("other.example", &place, Some(right.clone()));
    assert!(features.contains("EXTERNAL"), "{features}");
    peer.send(STANZA);
    assert!(peer.wait("</stream:stream>").contains("<not-authorized "));
    // The peer claims a domain that the certificate does not name.
    let (mut peer, _) = Peer::connect("other.example", &place, Some(right.clone()));
    let auth = "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='EXTERNAL'>";
    peer.send(&format!("{auth}d3JvbmcuZXhhbXBsZQ==</auth>"));
    assert!(peer.wait("</failure>").contains("<invalid-authzid"));
    peer.send(&format!("{auth}*</auth>"));
    assert!(peer.wait("</failure>").contains("<incorrect-encoding"));
    // The peer sends stanzas of other domains after authentication.
    for (stanza, condition) in [
        (STANZA.replace("x@other", "x@forged"), "invalid-from"),
        (STANZA.replace("from='x@other.example' ", ""), "improper-addressing"),
        (STANZA.replace("to='romeo@one.example'", "to='romeo@elsewhere.example'"), "host-unknown"),
        (STANZA.replace("from='x@other.example'", "from='juliet@one.example'"), "invalid-from"),
        // XML that the parsers of clients refuse.
        (STANZA.replace("from=", "\u{17F}='1' from="), "not-well-formed"),
    ] {
        let mut peer = Peer::authenticated("other.example", &place, right.clone());
        peer.send(&stanza);
        let end = peer.wait("</stream:stream>");
        assert!(end.contains(&format!("<{condition} ")), "{stanza}: {end}");
    }
    let mut peer = Peer::authenticated("other.example", &place, right);
    peer.send(&STANZA.replace("to='romeo@one.example'", "to='romeo@one.example/r'"));
    let came = romeo.wait("</message>");
    assert!(came.contains("from='x@other.example'"), "{came}");
}

#[test]
fn dialback_keys_are_verified() {
    let place = Place::new("one.example");
    let other = Place::new("other.example");
    let lab = Lab::dialback();
    let server = lab.server(&place, &[&other]);
    let certificate = lab.certificate("other.example");
    let listener = TcpListener::bind(other.s2s).unwrap();
    let result =
        |key: &str| format!("<db:result from='other.example' to='one.example'>{key}</db:result>");
    for (verdict, answer) in [("invalid", "type='invalid'"), ("valid", "type='valid'")] {
        let (mut peer, features) = Peer::connect("other.example", &place, None);
        assert!(features.contains("urn:xmpp:features:dialback"), "{features}");
        peer.send(&result("abc"));
        // The server asks the authoritative server of the domain.
        let mut asked = Peer::accept(&listener, "other.example", "one.example", &certificate);
        asked.answer("other.example", "one.example", "");
        let question = asked.wait("</db:verify>");
        assert!(question.contains(">abc<"), "{question}");
        let id = question.rsplit("id='").next().unwrap().split('\'').next().unwrap();
        asked.send(&format!(
            "<db:verify from='other.example' to='one.example' id='{id}' type='{verdict}'/>"
        ));
        let told = peer.wait("/>");
        assert!(told.contains(answer), "{told}");
        if verdict == "valid" {
            peer.send(&STANZA.replace("x@other", "x@forged"));
            assert!(peer.wait("</stream:stream>").contains("<invalid-from "));
        } else {
            assert!(peer.wait("</stream:stream>").contains("<not-authorized "));
        }
    }
    server.wait_record("s2s-authenticated\tone.example\tother.example dialback");
    // Keys for an unreachable domain, for a domain served here and for one not served here, and a
    // forged key.
    let (mut peer, _) = Peer::connect("other.example", &place, None);
    for (element, condition) in [
        ("<db:result from='lost.example' to='one.example'>k</db:result>", "remote-server-"),
        ("<db:result from='one.example' to='one.example'>k</db:result>", "not-acceptable"),
        ("<db:result from='other.example' to='two.example'>k</db:result>", "item-not-found"),
        ("<db:verify from='other.example' to='two.example' id='i'>k</db:verify>", "item-not-found"),
    ] {
        peer.send(element);
        let end = if element.contains("verify") { "</db:verify>" } else { "</db:result>" };
        let told = peer.wait(end);
        assert!(told.contains(&format!("<{condition}")), "{element}: {told}");
    }
    peer.send("<db:verify from='other.example' to='one.example' id='i'>made-up</db:verify>");
    assert!(peer.wait("/>").contains("type='invalid'"));
    peer.send("<db:result from='@' to='one.example'>k</db:result>");
    assert!(peer.wait("</stream:stream>").contains("<improper-addressing "));
}

#[test]
fn an_outgoing_stream_takes_no_stanzas() {
    let (place, other) = (Place::new("one.example"), Place::new("other.example"));
    let lab = Lab::external();
    let server = lab.server(&place, &[&other]);
    let listener = TcpListener::bind(other.s2s).unwrap();
    let mut romeo = Raw::login_at(&server, "romeo", "one.example", "r");
    romeo.send("<message to='a@other.example' id='m'><body>!</body></message>");
    let mut peer = accept(&lab, &listener);
    peer.wait("id='m'");
    peer.send(&STANZA.replace("to='romeo@one.example'", "to='romeo@one.example/r'"));
    let end = peer.wait("</stream:stream>");
    assert!(end.contains("<not-authorized "), "{end}");
    drop(peer);
    // Only the message that was sent comes back.
    let error = romeo.wait("</message>");
    assert!(error.contains("id='m'") && !error.contains("<body>!</body></message>"), "{error}");
}

/// Accepts the server's stream as `other.example`, up to its first stanza.
fn accept(lab: &Lab, listener: &TcpListener) -> Peer {
    let right = lab.certificate("other.example");
    let mut peer = Peer::accept(listener, "other.example", "one.example", &right);
    let mechanisms = "<mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>\
                      <mechanism>EXTERNAL</mechanism></mechanisms>";
    peer.answer("other.example", "one.example", mechanisms);
    assert!(peer.wait("</auth>").contains(">b25lLmV4YW1wbGU=<"));
    peer.send("<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>");
    peer.answer("other.example", "one.example", "");
    peer
}

#[test]
fn a_host_without_s2s_is_not_there_for_other_servers() {
    let place = Place::new("one.example");
    let mut lab = Lab::external();
    lab.s2s = "[host.\"closed.example\"]\nmodules = [\"-s2s\", \"-dialback\"]".into();
    let _server = lab.server(&place, &[]);
    let right = lab.certificate("other.example");
    let closed = Place { domain: "closed.example", ..place };
    let mut raw = Raw::to(place.s2s);
    raw.send(&header("other.example", closed.domain));
    assert!(raw.wait_end().contains("<host-unknown "));
    let (mut peer, _) = Peer::connect("other.example", &place, Some(right.clone()));
    for name in ["result", "verify"] {
        let nonza =
            format!("<db:{name} from='other.example' to='closed.example' id='i'>k</db:{name}>");
        peer.send(&nonza);
        let told = peer.wait(&format!("</db:{name}>"));
        assert!(told.contains("<item-not-found "), "{told}");
    }
    let mut peer = Peer::authenticated("other.example", &place, right);
    peer.send(&STANZA.replace("romeo@one.example", "romeo@closed.example"));
    assert!(peer.wait("</stream:stream>").contains("<host-unknown "));
}

/// One account sends to many servers that accept and say nothing. Others are not delayed, not even
/// to a server to which that account has sent, too.
#[test]
fn one_account_cannot_occupy_the_way_to_other_servers() {
    let (one, two) = (Place::new("one.example"), Place::new("two.example"));
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let s2s = silent.local_addr().unwrap();
    let domain = |number| Box::leak(format!("s{number}.example").into_boxed_str());
    let all: Vec<_> = (0..50).map(|number| Place { domain: domain(number), s2s }).collect();
    let lab = Lab::external();
    let mut routes: Vec<&Place> = all.iter().collect();
    routes.push(&two);
    let servers = Two { one: lab.server(&one, &routes), two: lab.server(&two, &[&one]) };
    let mut nobody = Raw::login_at(&servers.two, "romeo", "two.example", "n");
    let mut culprit = Raw::login_at(&servers.one, "juliet", "one.example", "c");
    for place in &all {
        culprit.send(&format!("<message to='a@{}' id='m'><body>!</body></message>", place.domain));
    }
    let accepted: Vec<_> = (0..20).map(|_| silent.accept().unwrap()).collect();
    nobody.send("<presence/>");
    culprit.send("<message to='romeo@two.example/n' id='late'><body>late</body></message>");
    culprit.send("<iq type='get' id='taken' to='one.example'><ping xmlns='urn:xmpp:ping'/></iq>");
    culprit.wait("id='taken'");
    let mut romeo = servers.romeo();
    romeo.send("<message to='romeo@two.example/n' id='soon'><body>soon</body></message>");
    let came = nobody.wait("<body>soon</body>");
    assert!(came.contains("<body>late</body>"), "the order is lost: {came}");
    // The account still has no more than its share.
    silent.set_nonblocking(true).unwrap();
    assert_eq!(silent.accept().unwrap_err().kind(), ErrorKind::WouldBlock);
    // The others wait for the end of the first.
    silent.set_nonblocking(false).unwrap();
    drop(accepted);
    for _ in 20..50 {
        drop(silent.accept().unwrap());
    }
    let mut told = String::new();
    for _ in 0..50 {
        told += &culprit.wait("</message>");
    }
    // Nobody is told that the port is open.
    assert_eq!(told.matches("could be reached</text>").count(), 50, "{told}");
    // The failures are remembered.
    culprit.send("<message to='a@s0.example' id='again'><body>!</body></message>");
    assert!(culprit.wait("</message>").contains("id='again'"));
    silent.set_nonblocking(true).unwrap();
    assert_eq!(silent.accept().unwrap_err().kind(), ErrorKind::WouldBlock);
}

#[test]
fn a_server_with_another_name_gets_nothing() {
    let (place, other) = (Place::new("one.example"), Place::new("other.example"));
    let lab = Lab::external();
    let server = lab.server(&place, &[&other]);
    let listener = TcpListener::bind(other.s2s).unwrap();
    let mut romeo = Raw::login_at(&server, "romeo", "one.example", "r");
    romeo.send("<message to='a@other.example' id='m'><body>secret</body></message>");
    let wrong = lab.certificate("wrong.example");
    let mut peer = Peer::accept(&listener, "other.example", "one.example", &wrong);
    peer.answer(
        "other.example",
        "one.example",
        "<mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>\
         <mechanism>EXTERNAL</mechanism></mechanisms>",
    );
    assert!(!peer.wait("</stream:stream>").contains("secret"));
    let error = romeo.wait("</message>");
    assert!(
        error.contains("<remote-server-timeout ") && error.contains("type='cancel'"),
        "{error}"
    );
    assert!(error.contains("certificate"), "{error}");
}

/// A peer reads everything and answers nothing. The queue is bounded, and every message comes back.
#[test]
fn messages_to_a_server_that_never_answers_come_back() {
    let (place, other) = (Place::new("one.example"), Place::new("other.example"));
    let mut lab = Lab::external();
    // A quarter for one account.
    lab.s2s = "queue_stanzas = 20".into();
    let server = lab.server(&place, &[&other]);
    let listener = TcpListener::bind(other.s2s).unwrap();
    let mut romeo = Raw::login_at(&server, "romeo", "one.example", "r");
    let mut juliet = Raw::login_at(&server, "juliet", "one.example", "j");
    let send = |romeo: &mut Raw, number: usize| {
        romeo.send(&format!(
            "<message to='a@other.example' id='m{number}'><body>!</body></message>"
        ));
    };
    send(&mut romeo, 0);
    let mut peer = accept(&lab, &listener);
    peer.wait("id='m0'");
    // The ping after the message asks whether the message has arrived.
    peer.wait("<ping xmlns='urn:xmpp:ping'/>");
    for number in 1..5 {
        send(&mut romeo, number);
    }
    peer.wait("id='m4'");
    send(&mut romeo, 5);
    let error = romeo.wait("</message>");
    assert!(error.contains("id='m5'") && error.contains("<resource-constraint "), "{error}");
    // Others have their own share.
    send(&mut juliet, 6);
    peer.wait("id='m6'");
    drop(peer);
    for number in 0..5 {
        let error = romeo.wait("</message>");
        assert!(error.contains(&format!("id='m{number}'")), "{error}");
        assert!(error.contains("<remote-server-timeout "), "{error}");
    }
    server.wait_record("s2sout-destroyed\tone.example\tother.example");
}
