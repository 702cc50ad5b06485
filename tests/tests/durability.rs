//! Acknowledged changes survive a kill of the server at any moment.
//!
//! A hundred times, clients change contacts and private data and send messages to an offline
//! account, and the server is killed at a random moment. After a restart, the server must have
//! every change that it had acknowledged: by the result of an iq or, for a message, by the answer
//! to the ping after the message.

#![expect(clippy::unwrap_used, reason = "a test that cannot continue has failed")]

use std::{
    collections::{BTreeMap, BTreeSet},
    hash::{BuildHasher, RandomState},
    sync::mpsc::{self, Sender},
    thread,
    time::Duration,
};

use spondee_tests::{
    TIMEOUT,
    raw::Raw,
    server::{Server, Setup},
};

/// The number of times that the server is killed.
const KILLS: u64 = 100;
/// The maximum number of acknowledged changes before a kill.
const CONFIRMED: u64 = 40;
/// The number of contacts that are added and removed.
const CONTACTS: u64 = 17;

#[test]
fn acknowledged_changes_survive_a_hundred_kills() {
    survives("");
}

#[test]
#[ignore = "needs PostgreSQL: CONTRIBUTING.md says how to run it"]
fn acknowledged_changes_survive_a_hundred_kills_on_postgresql() {
    let postgres = spondee_postgres::Postgres::start();
    survives(&format!("[storage]\nurl = \"{}\"\n", postgres.url()));
}

/// The acknowledged state.
#[derive(Debug, Default)]
struct Confirmed {
    /// The name of each contact, by the contact's number; `None` for a removed contact.
    contacts: BTreeMap<u64, Option<u64>>,
    /// The private data.
    private: u64,
    /// The offline messages.
    messages: BTreeSet<u64>,
}

/// One change by a client.
#[derive(Debug, Clone, Copy)]
enum Change {
    Contact(u64, Option<u64>),
    Private(u64),
    Message(u64),
}

/// A client's report to the test before and after a change.
enum Report {
    Tried(Change),
    Confirmed(Change),
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
        let (reports, log) = mpsc::channel();
        // Each round has its own numbers, so that old values differ from new ones.
        let clients = clients(&server, next, &reports);
        drop(reports);
        next += 1_000_000;
        let mut tried = Vec::new();
        let mut left = random % CONFIRMED;
        while left > 0 {
            match log.recv_timeout(TIMEOUT).unwrap() {
                Report::Tried(change) => tried.push(change),
                Report::Confirmed(change) => {
                    confirmed.add(change);
                    left -= 1;
                }
            }
        }
        // Sleeps until a random moment within the duration of a change; this waits for no
        // condition.
        thread::sleep(Duration::from_micros(random / CONFIRMED % 5000));
        server.signal("KILL");
        for report in log {
            match report {
                Report::Tried(change) => tried.push(change),
                Report::Confirmed(change) => confirmed.add(change),
            }
        }
        clients.into_iter().for_each(|client| client.join().unwrap());
        server.wait();
        server.start_again();
        count += tried.len();
        check(&server, &mut confirmed, &tried);
    }
    assert!(count > 500, "only {count} changes were made, too few to prove anything");
}

impl Confirmed {
    fn add(&mut self, change: Change) {
        match change {
            Change::Contact(contact, name) => drop(self.contacts.insert(contact, name)),
            Change::Private(value) => self.private = value,
            Change::Message(number) => drop(self.messages.insert(number)),
        }
    }
}

/// Starts three clients, which run until the server is killed.
fn clients(server: &Server, first: u64, reports: &Sender<Report>) -> Vec<thread::JoinHandle<()>> {
    let contact = |number: u64| {
        let contact = number % CONTACTS;
        let jid = format!("c{contact}@contacts.example");
        // Every fifth change is a removal.
        let (change, item) = if number.is_multiple_of(5) {
            (None, format!("<item jid='{jid}' subscription='remove'/>"))
        } else {
            (Some(number), format!("<item jid='{jid}' name='{number}'/>"))
        };
        let query = format!("<query xmlns='jabber:iq:roster'>{item}</query>");
        (Change::Contact(contact, change), format!("<iq type='set' id='i{number}.'>{query}</iq>"))
    };
    let private = |number: u64| {
        let query = format!(
            "<query xmlns='jabber:iq:private'><data xmlns='urn:example:data'>{number}</data></query>"
        );
        (Change::Private(number), format!("<iq type='set' id='i{number}.'>{query}</iq>"))
    };
    let message = |number: u64| {
        let text = format!(
            "<message type='chat' to='nurse@localhost'><body>m{number}.</body></message>\
             <iq type='get' id='i{number}.' to='localhost'><ping xmlns='urn:xmpp:ping'/></iq>"
        );
        (Change::Message(number), text)
    };
    vec![
        client(Raw::login(server, "romeo", "roster"), first, reports, contact),
        client(Raw::login(server, "romeo", "private"), first, reports, private),
        client(Raw::login(server, "juliet", "messages"), first, reports, message),
    ]
}

fn client(
    mut raw: Raw,
    first: u64,
    reports: &Sender<Report>,
    change: impl Fn(u64) -> (Change, String) + Send + 'static,
) -> thread::JoinHandle<()> {
    let reports = reports.clone();
    thread::spawn(move || {
        for number in first.. {
            let (change, text) = change(number);
            reports.send(Report::Tried(change)).unwrap();
            raw.send(&text);
            let Some(answer) = answer(&mut raw, number) else { return };
            // The contact may have been removed already.
            let is_done = answer.contains("result") || matches!(change, Change::Contact(_, None));
            assert!(is_done, "{answer}");
            reports.send(Report::Confirmed(change)).unwrap();
        }
    })
}

/// The start tag of the answer to an iq; `None` if the connection ends first.
fn answer(raw: &mut Raw, number: u64) -> Option<String> {
    let mut answer = raw.try_wait(&format!("i{number}."))?;
    answer.push_str(&raw.try_wait(">")?);
    let start = answer.rfind("<iq").unwrap();
    Some(answer.split_off(start))
}

/// Checks that every acknowledged change is present. Other changes may be present or not.
fn check(server: &Server, confirmed: &mut Confirmed, tried: &[Change]) {
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
        let may_be = tried.iter().any(
            |change| matches!(change, Change::Contact(c, name) if (*c, *name) == (contact, found)),
        );
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

    // A client that comes online receives the offline messages, which are then deleted.
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

/// Whether `found` may be later than `known`. A removal has no number.
fn is_newer(found: Option<u64>, known: Option<u64>) -> bool {
    found.is_none() || known.is_none() || found > known
}

fn attribute<'a>(tag: &'a str, name: &str) -> &'a str {
    let value = tag.split(&format!("{name}=")).nth(1).unwrap();
    let quote = value.get(..1).unwrap();
    value.split(quote).nth(1).unwrap()
}
