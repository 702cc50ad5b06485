//! Accounts over sockets: in-band registration, use, password change, removal.
#![expect(clippy::unwrap_used, reason = "a test that cannot continue has failed")]

use std::io::Write;

use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
use spondee_tests::{
    client::login,
    raw::{Raw, header},
    server::{Server, Setup},
};
use tokio_xmpp::{IqResponse, minidom::Element, parsers::stanza_error::DefinedCondition};

/// A server with open registration, on loopback without TLS.
fn server() -> Server {
    let host = "allow_plaintext = true\nmodules = [\"+recorder\", \"+register\"]".into();
    Server::with(&Setup { host, ..Setup::default() })
}

fn new(username: &str, password: &str) -> String {
    query(&format!("<username>{username}</username><password>{password}</password>"))
}

fn query(content: &str) -> String {
    format!("<iq type='set' id='q'><query xmlns='jabber:iq:register'>{content}</query></iq>")
}

fn authenticate(server: &Server, user: &str, password: &str) -> (Raw, bool) {
    let mut raw = Raw::open(server);
    let plain = BASE64.encode(format!("\0{user}\0{password}"));
    let ns = "urn:ietf:params:xml:ns:xmpp-sasl";
    raw.send(&format!("<auth xmlns='{ns}' mechanism='PLAIN'>{plain}</auth>"));
    let answer = raw.wait(ns);
    (raw, answer.contains("<success"))
}

fn can_log_in(server: &Server, user: &str, password: &str) -> bool {
    authenticate(server, user, password).1
}

fn log_in(server: &Server, user: &str, password: &str, resource: &str) -> Raw {
    let (mut raw, is_in) = authenticate(server, user, password);
    assert!(is_in, "{user} must be able to log in");
    raw.send(&header("localhost"));
    raw.wait("</stream:features>");
    raw.send(&bind(resource));
    raw.wait("</iq>");
    raw
}

fn bind(resource: &str) -> String {
    format!(
        "<iq type='set' id='b'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'>\
         <resource>{resource}</resource></bind></iq>"
    )
}

/// An authenticated stream whose account has changed ends when it binds.
fn cannot_bind(late: &mut Raw) {
    late.send(&header("localhost"));
    late.wait("</stream:features>");
    late.send(&bind("late"));
    let end = late.wait_end();
    assert!(end.contains("<not-authorized ") && !end.contains("<jid>"), "{end}");
}

/// The names of the account's events so far, in order.
fn events(server: &Server) -> Vec<String> {
    let names = server.records().into_iter();
    let names = names.map(|line| line.split('\t').next().unwrap().to_owned());
    names.filter(|name| name.starts_with("user-") || name == "resource-unbind").collect()
}

fn command(server: &Server, arguments: &[&str], input: &str) -> String {
    use std::process::Stdio;
    let mut command = server.command();
    command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut process = command.spawn().unwrap();
    process.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = process.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn an_account_is_registered_used_changed_and_removed() {
    let server = server();
    let mut stranger = Raw::connect(&server);
    stranger.send(&header("localhost"));
    let features = stranger.wait("</stream:features>");
    assert!(features.contains("<register xmlns='http://jabber.org/features/iq-register'/>"));
    stranger.send("<iq type='get' id='g'><query xmlns='jabber:iq:register'/></iq>");
    assert!(stranger.wait("</iq>").contains("<username/><password/>"));
    stranger.send(&new("romeo", "not his own"));
    assert!(stranger.wait("</iq>").contains("<conflict "));
    stranger.send(&new("Tybalt", "prince of cats"));
    assert!(stranger.wait("/>").contains("type='result'"));

    let mut phone = log_in(&server, "tybalt", "prince of cats", "phone");
    let mut desk = log_in(&server, "tybalt", "prince of cats", "desk");
    phone.send(&new("tybalt", "king of cats"));
    assert!(phone.wait("/>").contains("type='result'"));
    let end = desk.wait_end();
    assert!(end.contains("<reset xmlns='urn:ietf:params:xml:ns:xmpp-streams'/>"), "{end}");
    assert!(!can_log_in(&server, "tybalt", "prince of cats"));
    let mut desk = log_in(&server, "tybalt", "king of cats", "desk");
    let (mut late, is_in) = authenticate(&server, "tybalt", "king of cats");
    assert!(is_in);

    phone.send(&query("<remove/>"));
    let end = phone.wait_end();
    let answer = end.find("type='result'").expect("no result");
    let error = end.find("<not-authorized ").expect("no stream error");
    assert!(answer < error, "{end}");
    assert!(desk.wait_end().contains("<not-authorized "));
    assert!(!can_log_in(&server, "tybalt", "king of cats"));
    // A stream authenticated before the removal must not bind: the name may be registered again.
    cannot_bind(&mut late);

    server.wait_record("user-deregistered\tlocalhost\ttybalt account");
    assert_eq!(
        events(&server),
        [
            "user-registering",
            "user-registered",
            "user-password-changed",
            "resource-unbind",
            "resource-unbind",
            "resource-unbind",
            "user-deleted",
            "user-deregistered",
        ]
    );
    server.wait_record("user-registering\tlocalhost\ttybalt register");
    server.wait_record("user-password-changed\tlocalhost\ttybalt tybalt@localhost/phone");
    assert!(!command(&server, &["user", "list"], "").contains("tybalt"));
}

#[test]
fn the_user_commands_close_the_sessions_of_the_account() {
    let server = server();
    let mut juliet = log_in(&server, "juliet", "juliet", "balcony");
    command(&server, &["user", "passwd", "juliet@localhost", "--password-stdin"], "new\n");
    assert!(juliet.wait_end().contains("<reset "));
    assert!(!can_log_in(&server, "juliet", "juliet"));
    let mut juliet = log_in(&server, "juliet", "new", "balcony");
    command(&server, &["user", "remove", "juliet@localhost"], "");
    assert!(juliet.wait_end().contains("<not-authorized "));
    assert!(!can_log_in(&server, "juliet", "new"));
    server.wait_record("user-deleted\tlocalhost\tjuliet");
    assert!(events(&server).contains(&"user-password-changed".to_owned()));
}

#[test]
fn streams_that_are_authenticated_and_not_bound_end_with_the_password() {
    let server = server();
    let (mut late, is_in) = authenticate(&server, "juliet", "juliet");
    assert!(is_in);
    command(&server, &["user", "passwd", "juliet@localhost", "--password-stdin"], "quite new\n");
    cannot_bind(&mut late);
    // Another user registers the name of a removed account, with the same password.
    let (mut late, is_in) = authenticate(&server, "juliet", "quite new");
    assert!(is_in);
    command(&server, &["user", "remove", "juliet@localhost"], "");
    let mut stranger = Raw::open(&server);
    stranger.send(&new("juliet", "quite new"));
    assert!(stranger.wait("/>").contains("type='result'"));
    cannot_bind(&mut late);
    log_in(&server, "juliet", "quite new", "balcony");
}

#[test]
fn registration_is_refused_where_it_is_not_enabled() {
    let host = "allow_plaintext = true".into();
    let server = Server::with(&Setup { host, ..Setup::default() });
    let mut stranger = Raw::connect(&server);
    stranger.send(&header("localhost"));
    let features = stranger.wait("</stream:features>");
    assert!(!features.contains("iq-register"), "{features}");
    stranger.send(&new("tybalt", "prince of cats"));
    assert!(stranger.wait_end().contains("<not-authorized "));
    assert!(!can_log_in(&server, "tybalt", "prince of cats"));
}

/// The stored data of an account, as its own client reads it.
fn kept(client: &mut Raw) -> String {
    let mut kept = String::new();
    for query in [
        "<query xmlns='jabber:iq:private'><x xmlns='urn:example:notes'/></query>",
        "<vCard xmlns='vcard-temp'/>",
        "<query xmlns='jabber:iq:last'/>",
    ] {
        client.send(&format!("<iq type='get' id='k'>{query}</iq>"));
        kept.push_str(&client.wait("</iq>"));
    }
    kept
}

/// Stores something in every module that keeps data of an account.
fn keep(client: &mut Raw) {
    for query in [
        "<query xmlns='jabber:iq:private'><x xmlns='urn:example:notes'>secret</x></query>",
        "<vCard xmlns='vcard-temp'><FN>secret</FN></vCard>",
    ] {
        client.send(&format!("<iq type='set' id='k'>{query}</iq>"));
        assert!(client.wait("/>").contains("type='result'"));
    }
    client.send("<presence/><presence type='unavailable'><status>secret</status></presence>");
    client.wait("</presence>");
    assert_eq!(kept(client).matches("secret").count(), 3);
}

/// Accounts are removed while the server runs, and while it does not run. A new account of the same
/// name has no data.
#[test]
fn nothing_is_left_of_a_removed_account() {
    let mut server = server();
    let mut juliet = log_in(&server, "juliet", "juliet", "balcony");
    keep(&mut juliet);
    juliet.send("<presence/>");
    juliet.send(&query("<remove/>"));
    assert!(juliet.wait_end().contains("<not-authorized "));
    let mut romeo = log_in(&server, "romeo", "romeo", "orchard");
    keep(&mut romeo);

    server.signal("TERM");
    assert!(server.wait().success());
    command(&server, &["user", "remove", "romeo@localhost"], "");
    for name in ["juliet", "romeo"] {
        let jid = format!("{name}@localhost");
        command(&server, &["user", "add", &jid, "--password-stdin"], "another\n");
    }
    server.restart();
    for name in ["juliet", "romeo"] {
        let mut another = log_in(&server, name, "another", "home");
        let kept = kept(&mut another);
        assert!(!kept.contains("secret"), "{kept}");
        assert!(kept.contains("<item-not-found ") && kept.contains("seconds='0'"), "{kept}");
    }
}

/// The entity capabilities in the stream features match the answer to a disco query.
#[test]
fn the_servers_capabilities_are_in_the_stream_features() {
    let server = server();
    let (mut romeo, _) = authenticate(&server, "romeo", "romeo");
    romeo.send(&header("localhost"));
    let features = romeo.wait("</stream:features>");
    let value = |name: &str| {
        let caps = features.split("<c xmlns='http://jabber.org/protocol/caps'").nth(1).unwrap();
        let value = caps.split(&format!("{name}='")).nth(1).unwrap();
        value.split('\'').next().unwrap().to_owned()
    };
    let node = format!("{}#{}", value("node"), value("ver"));
    romeo.send(&bind("orchard"));
    romeo.wait("</iq>");
    let ns = "http://jabber.org/protocol/disco#info";
    romeo.send(&format!(
        "<iq type='get' id='d' to='localhost'><query xmlns='{ns}' node='{node}'/></iq>"
    ));
    let info = romeo.wait("</iq>");
    assert!(info.contains("category='server'") && info.contains("'jabber:iq:register'"), "{info}");
}

/// `tokio-xmpp` over STARTTLS: private data, vCards and who may read them, a new password.
#[tokio::test]
async fn a_client_library_stores_data_and_changes_its_password() {
    let server = Server::start();
    let mut romeo = login(&server, "romeo@localhost/orchard").await;
    let mut juliet = login(&server, "juliet@localhost/balcony").await;
    let element = |xml: &str| xml.parse::<Element>().unwrap();
    let bookmarks = "<query xmlns='jabber:iq:private'><storage xmlns='storage:bookmarks'>\
                     <conference jid='balcony@rooms.example' autojoin='true'/></storage></query>";
    let card = "<vCard xmlns='vcard-temp'><FN>Romeo</FN></vCard>";
    for kept in [bookmarks, card] {
        let answer = romeo.set(None, element(kept)).await;
        assert!(matches!(answer, IqResponse::Result(None)), "{answer:?}");
    }
    let ask = "<query xmlns='jabber:iq:private'><storage xmlns='storage:bookmarks'/></query>";
    let asked = romeo.get(None, element(ask)).await;
    assert!(matches!(&asked, IqResponse::Result(Some(kept)) if *kept == element(bookmarks)));
    let seen = juliet.get(Some("romeo@localhost"), element("<vCard xmlns='vcard-temp'/>")).await;
    assert!(matches!(&seen, IqResponse::Result(Some(kept)) if *kept == element(card)));
    for (query, condition) in [
        (ask, DefinedCondition::Forbidden),
        ("<query xmlns='jabber:iq:last'/>", DefinedCondition::Forbidden),
        (
            "<query xmlns='http://jabber.org/protocol/disco#info'/>",
            DefinedCondition::ServiceUnavailable,
        ),
    ] {
        let refused = juliet.get(Some("romeo@localhost"), element(query)).await;
        let IqResponse::Error(error) = refused else { panic!("{refused:?}") };
        assert_eq!(error.defined_condition, condition, "{query}");
    }
    let new = "<query xmlns='jabber:iq:register'><username>romeo</username>\
               <password>montague</password></query>";
    let answer = romeo.set(None, element(new)).await;
    assert!(matches!(answer, IqResponse::Result(None)), "{answer:?}");
    server.wait_record("user-password-changed\tlocalhost\tromeo romeo@localhost/orchard");
}
