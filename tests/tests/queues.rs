//! Clients that read slowly: nothing that others leave for them or send to them ends their streams,
//! and nothing is lost without a word.
#![expect(clippy::unwrap_used, reason = "a test that cannot continue has failed")]

use std::collections::BTreeSet;

use spondee_tests::{
    raw::Raw,
    server::{Server, Setup},
};

/// Other domains of the server, with the same accounts.
const DOMAINS: [&str; 4] = ["a.example", "b.example", "c.example", "d.example"];

fn server(limits: &str, tables: &str) -> Server {
    let hosts = DOMAINS.map(|domain| format!("[host.\"{domain}\"]\nallow_plaintext = true\n"));
    let tables = format!("{tables}\n{}", hosts.concat());
    Server::with(&Setup {
        host: "allow_plaintext = true".into(),
        domains: DOMAINS.into(),
        tables: format!(
            "[limits]\nbytes_per_second = 100000000\nstanzas_per_second = 100000\n{limits}\n{tables}\n"
        ),
        ..Setup::default()
    })
}

/// Room for all messages of a test.
const OFFLINE: &str =
    "[host.\"localhost\".module.offline]\nmax_messages = 100000\nmax_bytes = 100000000";

/// Sends a ping and returns the input up to its answer.
fn sync(raw: &mut Raw) -> String {
    raw.send("<iq type='get' id='sync' to='localhost'><ping xmlns='urn:xmpp:ping'/></iq>");
    raw.wait("id='sync'")
}

/// Sends a message with a number and 8 kB of padding.
fn say(raw: &mut Raw, number: usize) {
    let padding = "x".repeat(8000);
    raw.send(&format!(
        "<message type='chat' to='juliet@localhost'><body>{number}</body>\
         <x xmlns='urn:test:padding'>{padding}</x></message>"
    ));
}

/// The numbers of the messages from a user, in the order of arrival.
fn numbers(received: &str, from: &str) -> Vec<usize> {
    let messages = received.split("<message").skip(1);
    let from = format!("from='{from}@localhost");
    let messages =
        messages.filter(|message| message.contains(&from) && message.contains("</message>"));
    messages
        .filter(|message| !message.contains("<error"))
        .map(|message| message.split("<body>").nth(1).unwrap().split('<').next().unwrap())
        .map(|number| number.parse().unwrap())
        .collect()
}

#[test]
fn a_burst_of_one_sender_ends_no_stream_and_refuses_no_other() {
    const BURST: usize = 400;
    let server = server("queue_bytes = 200000", OFFLINE);
    let mut juliet = Raw::login_narrow(&server, "juliet", "balcony");
    juliet.send("<presence/>");
    sync(&mut juliet);
    let mut romeo = Raw::login(&server, "romeo", "orchard");
    (0..BURST).for_each(|number| say(&mut romeo, number));
    assert!(!sync(&mut romeo).contains("<error"), "what does not fit is stored");
    let mut nurse = Raw::login(&server, "nurse", "hall");
    (0..4).for_each(|number| say(&mut nurse, number));
    assert!(!sync(&mut nurse).contains("<error"));
    let mut received = sync(&mut juliet);
    assert_eq!(numbers(&received, "nurse"), (0..4).collect::<Vec<_>>());
    juliet.send("<presence type='unavailable'/><presence/>");
    received += &sync(&mut juliet);
    let got: BTreeSet<_> = numbers(&received, "romeo").into_iter().collect();
    assert_eq!(got.len(), BURST);
    assert_eq!(numbers(&received, "romeo").len(), BURST, "each once");
}

#[test]
fn what_a_client_did_not_read_comes_back() {
    let server = server("unread_seconds = 1\nqueue_bytes = 200000", OFFLINE);
    let mut juliet = Raw::login_narrow(&server, "juliet", "balcony");
    juliet.send("<presence/>");
    sync(&mut juliet);
    let mut romeo = Raw::login(&server, "romeo", "orchard");
    let mut nurse = Raw::login(&server, "nurse", "hall");
    nurse.send(
        "<iq type='get' id='never' to='juliet@localhost/balcony'><ping xmlns='urn:xmpp:ping'/></iq>",
    );
    let mut sent = 0;
    // The record appears when the stream ends.
    let ended = "resource-unbind\tlocalhost\tjuliet@localhost/balcony the client reads too slowly";
    while !server.records().iter().any(|record| record.starts_with(ended)) {
        say(&mut romeo, sent);
        say(&mut nurse, sent);
        assert!(!sync(&mut romeo).contains("<error"));
        sync(&mut nurse);
        sent += 1;
        assert!(sent < 100_000, "the stream was not ended");
    }
    let mut received = juliet.wait_end();
    assert!(received.contains("<policy-violation"), "the end is not told");
    let mut juliet = Raw::login(&server, "juliet", "street");
    // The old session returns its messages when its stream has ended.
    juliet.send("<presence/>");
    let missing = |received: &str| {
        let [romeo, nurse] = ["romeo", "nurse"].map(|user| numbers(received, user));
        (0..sent).filter(|number| !romeo.contains(number) || !nurse.contains(number)).count()
    };
    for _ in 0..1000 {
        received += &sync(&mut juliet);
        if missing(&received) == 0 {
            break;
        }
        juliet.send("<presence type='unavailable'/><presence/>");
    }
    for user in ["romeo", "nurse"] {
        let got: BTreeSet<_> = numbers(&received, user).into_iter().collect();
        assert_eq!(got, (0..sent).collect(), "{user}");
    }
}

/// Numbers that look random, the same for the same seed.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % limit
    }
}

/// Sends sets of `content` until one is refused, at most `most`. Returns the number of those that
/// were not.
fn fill(raw: &mut Raw, most: usize, mut content: impl FnMut(usize) -> String) -> usize {
    for number in 0..most {
        raw.send(&format!("<iq type='set' id='f{number}'>{}</iq>", content(number)));
        let answer = raw.wait(&format!("id='f{number}'"));
        let answer = answer + &raw.wait(">");
        if answer.rsplit("<iq ").next().unwrap().contains("type='error'") {
            return number;
        }
    }
    most
}

/// All that can be kept for an account reaches a client that reads late, with a queue far smaller
/// than all of it.
#[test]
fn nothing_that_is_kept_for_an_account_ends_its_login() {
    let server =
        server("queue_bytes = 300000", "[host.\"localhost\".module.private]\nmax_elements = 20");
    for domain in DOMAINS {
        for user in ["romeo", "nurse"] {
            let mut stranger = Raw::login_at(&server, user, domain, "x");
            let status = "s".repeat(3900);
            stranger.send(&format!(
                "<presence type='subscribe' to='juliet@localhost'><status>{status}</status></presence>"
            ));
            assert!(!sync(&mut stranger).contains("<error"));
        }
    }
    for seed in 0..2 {
        let mut random = Random(seed);
        let mut juliet = Raw::login(&server, "juliet", "first");
        let length = 1 + random.below(1000);
        let contacts = fill(&mut juliet, 100, |number| {
            let name = "&amp;".repeat(random.below(200));
            let groups = (0..1 + random.below(40))
                .map(|group| format!("<group>{group}{}</group>", "g".repeat(length)));
            format!(
                "<query xmlns='jabber:iq:roster'><item jid='c{number}s{seed}@localhost' \
                 name='{name}'>{}</item></query>",
                groups.collect::<String>()
            )
        });
        let length = random.below(900);
        let blocked = fill(&mut juliet, 10, |number| {
            let items = (0..20).map(|item| {
                format!("<item jid='{item}b{number}{}@blocked.example'/>", "x".repeat(length))
            });
            format!("<block xmlns='urn:xmpp:blocking'>{}</block>", items.collect::<String>())
        });
        let length = 1 + random.below(60_000);
        let private = fill(&mut juliet, 20, |number| {
            format!(
                "<query xmlns='jabber:iq:private'><x{number} xmlns='urn:test:{seed}'>{}</x{number}></query>",
                "p".repeat(length)
            )
        });
        let others: Vec<_> = (0..12)
            .map(|number| {
                let mut other = Raw::login(&server, "juliet", &format!("other{number}"));
                let status = "s".repeat(random.below(7500));
                other.send(&format!(
                    "<presence><priority>-1</priority><status>{status}</status></presence>"
                ));
                sync(&mut other);
                other
            })
            .collect();
        let mut romeo = Raw::login(&server, "romeo", "orchard");
        let length = 1 + random.below(20_000);
        let mut stored = 0;
        for _ in 0..60 {
            romeo.send(&format!(
                "<message type='chat' to='juliet@localhost'><body>{}</body></message>",
                "m".repeat(length)
            ));
            stored += usize::from(!sync(&mut romeo).contains("<error"));
        }
        drop(juliet);
        // Reads nothing until all is asked for.
        let mut juliet = Raw::login(&server, "juliet", "slow");
        juliet.send(
            "<iq type='get' id='r'><query xmlns='jabber:iq:roster'/></iq>\
             <iq type='get' id='b'><blocklist xmlns='urn:xmpp:blocking'/></iq>",
        );
        juliet.send("<iq type='get' id='p'><query xmlns='jabber:iq:private'>");
        for number in 0..private {
            juliet.send(&format!("<x{number} xmlns='urn:test:{seed}'/>"));
        }
        juliet.send("</query></iq><presence/>");
        let received = sync(&mut juliet);
        let count = |what: &str| received.matches(what).count();
        assert!(!received.contains("<stream:error"), "seed {seed}");
        assert!(count("<item jid='c") >= contacts, "seed {seed}: {contacts} contacts");
        assert_eq!(count("@blocked.example'"), 20 * blocked, "seed {seed}");
        assert_eq!(count("<message "), stored, "seed {seed}");
        assert_eq!(count("type='subscribe'"), 2 * DOMAINS.len(), "seed {seed}");
        assert!(count("/other") >= others.len(), "seed {seed}");
        juliet.send("<iq type='set' id='u'><unblock xmlns='urn:xmpp:blocking'/></iq>");
        sync(&mut juliet);
    }
}
