//! What the server has acknowledged survives its death at any moment.
//!
//! A hundred times, clients change contacts and private data and write to somebody who is offline,
//! and the server is killed at a random moment. Started again, it must know everything that it
//! has confirmed: by the result of an iq, or, for a message, by the answer to a ping behind it.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::{
    collections::{BTreeMap, BTreeSet},
    hash::{BuildHasher, RandomState},
    sync::mpsc::{self, Sender},
    thread,
    time::Duration,
};

use spondee_tests::{
    PATIENCE,
    raw::Raw,
    server::{Server, Setup},
};

/// How often the server is killed.
const KILLS: u64 = 100;
/// So many things are confirmed at most before it is killed.
const CONFIRMED: u64 = 40;
/// Contacts that come and go.
const CONTACTS: u64 = 17;

#[test]
fn a_hundred_deaths() {
    survives("");
}

#[test]
#[ignore = "needs PostgreSQL: CONTRIBUTING.md says how to run it"]
fn a_hundred_deaths_beside_postgresql() {
    let postgres = spondee_postgres::Postgres::start();
    survives(&format!("[storage]\nurl = \"{}\"\n", postgres.url()));
}

/// What must be there.
#[derive(Debug, Default)]
struct Confirmed {
    /// The contacts, by number, and with what name; none for one that was removed.
    contacts: BTreeMap<u64, Option<u64>>,
    /// The private data.
    private: u64,
    /// The messages that wait.
    messages: BTreeSet<u64>,
}

/// One thing that a client has done.
#[derive(Debug, Clone, Copy)]
enum Deed {
    Contact(u64, Option<u64>),
    Private(u64),
    Message(u64),
}

/// What a client tells the test, before and behind a deed.
enum Word {
    Tried(Deed),
    Confirmed(Deed),
}

fn survives(tables: &str) {
    let setup = Setup {
        host: "allow_plaintext = true".into(),
        tables: format!(
            "[host.\"localhost\".module.offline]\nmax_messages = 10_000\nmax_bytes = 100_000_000\n\
             [limits]\nscram_iterations = 4096\nstanzas_per_second = 100_000\n{tables}"
        ),
        ..Setup::default()
    };
    let mut server = Server::with(&setup);
    let mut confirmed = Confirmed::default();
    let (mut count, mut next) = (0, 1);
    for death in 0..KILLS {
        let random = RandomState::new().hash_one(death);
        let (words, log) = mpsc::channel();
        // The numbers of different rounds differ, so that old is not taken for new.
        let clients = clients(&server, next, &words);
        drop(words);
        next += 1_000_000;
        let mut tried = Vec::new();
        let mut left = random % CONFIRMED;
        while left > 0 {
            match log.recv_timeout(PATIENCE).unwrap() {
                Word::Tried(deed) => tried.push(deed),
                Word::Confirmed(deed) => {
                    confirmed.add(deed);
                    left -= 1;
                }
            }
        }
        // Anywhere within what a change takes: this is no wait for anything.
        thread::sleep(Duration::from_micros(random / CONFIRMED % 5000));
        server.signal("KILL");
        for word in log {
            match word {
                Word::Tried(deed) => tried.push(deed),
                Word::Confirmed(deed) => confirmed.add(deed),
            }
        }
        clients.into_iter().for_each(|client| client.join().unwrap());
        server.wait();
        server.start_again();
        count += tried.len();
        check(&server, &mut confirmed, &tried);
    }
    assert!(count > 500, "only {count} things were done: that proves nothing");
}

impl Confirmed {
    fn add(&mut self, deed: Deed) {
        match deed {
            Deed::Contact(contact, name) => drop(self.contacts.insert(contact, name)),
            Deed::Private(value) => self.private = value,
            Deed::Message(number) => drop(self.messages.insert(number)),
        }
    }
}

/// Starts three clients, which go on until the server is gone.
fn clients(server: &Server, first: u64, words: &Sender<Word>) -> Vec<thread::JoinHandle<()>> {
    let contact = |number: u64| {
        let contact = number % CONTACTS;
        let jid = format!("c{contact}@contacts.example");
        // Now and then one is removed.
        let (deed, item) = if number.is_multiple_of(5) {
            (None, format!("<item jid='{jid}' subscription='remove'/>"))
        } else {
            (Some(number), format!("<item jid='{jid}' name='{number}'/>"))
        };
        let query = format!("<query xmlns='jabber:iq:roster'>{item}</query>");
        (Deed::Contact(contact, deed), format!("<iq type='set' id='i{number}.'>{query}</iq>"))
    };
    let private = |number: u64| {
        let query = format!(
            "<query xmlns='jabber:iq:private'><data xmlns='urn:example:data'>{number}</data></query>"
        );
        (Deed::Private(number), format!("<iq type='set' id='i{number}.'>{query}</iq>"))
    };
    let message = |number: u64| {
        let text = format!(
            "<message type='chat' to='nurse@localhost'><body>m{number}.</body></message>\
             <iq type='get' id='i{number}.' to='localhost'><ping xmlns='urn:xmpp:ping'/></iq>"
        );
        (Deed::Message(number), text)
    };
    vec![
        client(Raw::login(server, "romeo", "roster"), first, words, contact),
        client(Raw::login(server, "romeo", "private"), first, words, private),
        client(Raw::login(server, "juliet", "messages"), first, words, message),
    ]
}

fn client(
    mut raw: Raw,
    first: u64,
    words: &Sender<Word>,
    deed: impl Fn(u64) -> (Deed, String) + Send + 'static,
) -> thread::JoinHandle<()> {
    let words = words.clone();
    thread::spawn(move || {
        for number in first.. {
            let (deed, text) = deed(number);
            words.send(Word::Tried(deed)).unwrap();
            raw.send(&text);
            let Some(answer) = answer(&mut raw, number) else { return };
            // Contacts that are removed may be gone already.
            let is_done = answer.contains("result") || matches!(deed, Deed::Contact(_, None));
            assert!(is_done, "{answer}");
            words.send(Word::Confirmed(deed)).unwrap();
        }
    })
}

/// The start tag of the answer to an iq, unless the connection ends before.
fn answer(raw: &mut Raw, number: u64) -> Option<String> {
    let mut answer = raw.try_wait(&format!("i{number}."))?;
    answer.push_str(&raw.try_wait(">")?);
    let start = answer.rfind("<iq").unwrap();
    Some(answer.split_off(start))
}

/// Looks for everything that was confirmed. What was tried may be there or not.
fn check(server: &Server, confirmed: &mut Confirmed, tried: &[Deed]) {
    let mut romeo = Raw::login(server, "romeo", "check");
    romeo.send("<iq type='get' id='r'><query xmlns='jabber:iq:roster'/></iq>");
    let roster = romeo.wait("</iq>");
    let found: BTreeMap<u64, Option<u64>> = roster
        .split("<item ")
        .skip(1)
        .map(|item| {
            let jid = attribute(item, "jid").trim_start_matches('c');
            let contact = jid.split('@').next().unwrap().parse().unwrap();
            (contact, Some(attribute(item, "name").parse().unwrap()))
        })
        .collect();
    for contact in 0..CONTACTS {
        let found = found.get(&contact).copied().flatten();
        let known = confirmed.contacts.get(&contact).copied().flatten();
        let may_be = tried
            .iter()
            .any(|deed| matches!(deed, Deed::Contact(c, name) if (*c, *name) == (contact, found)));
        assert!(
            found == known || may_be && is_newer(found, known),
            "{contact}: {known:?} {roster}"
        );
        confirmed.contacts.insert(contact, found);
    }

    romeo.send(
        "<iq type='get' id='p'><query xmlns='jabber:iq:private'><data xmlns='urn:example:data'/>\
         </query></iq>",
    );
    let data = romeo.wait("</iq>");
    let digits: String = data
        .split("urn:example:data")
        .nth(1)
        .unwrap_or_default()
        .chars()
        .skip_while(|c| *c != '>')
        .skip(1)
        .take_while(char::is_ascii_digit)
        .collect();
    let found: u64 = digits.parse().unwrap_or_default();
    assert!(found >= confirmed.private, "{} became {found}: {data}", confirmed.private);
    confirmed.private = found;
    romeo.cut();

    // Whoever is there again gets what has waited, and then it is gone.
    let mut nurse = Raw::login(server, "nurse", "check");
    nurse.send(
        "<presence/><presence type='unavailable'/>\
         <iq type='get' id='i0.' to='localhost'><ping xmlns='urn:xmpp:ping'/></iq>",
    );
    let mut came = nurse.wait("i0.");
    nurse.send("</stream:stream>");
    came.push_str(&nurse.wait_end());
    for number in std::mem::take(&mut confirmed.messages) {
        assert!(came.contains(&format!("m{number}.")), "message {number} is lost: {came}");
    }
}

/// A removal has no number; that of another thing is.
fn is_newer(found: Option<u64>, known: Option<u64>) -> bool {
    found.is_none() || known.is_none() || found > known
}

fn attribute<'a>(tag: &'a str, name: &str) -> &'a str {
    let value = tag.split(&format!("{name}=")).nth(1).unwrap();
    let quote = value.get(..1).unwrap();
    value.split(quote).nth(1).unwrap()
}
