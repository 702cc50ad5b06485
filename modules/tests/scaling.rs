//! What one stanza costs grows with its size, not with the product of its parts.
//!
//! Each request is handled with a size and with ten times that size. The time that the thread runs
//! may grow twenty-five times: ten for the size, the rest for caches. A product grows a hundred times.
#![expect(clippy::unwrap_used, reason = "a test")]

use std::{future::poll_fn, pin::pin, sync::Arc, time::Duration};

use event_core::{
    Registry,
    cost::{self, Cost},
    storage::{Memory, Partition, Storage, Write},
    testing::{self, Client, Harness},
};

const SMALL: usize = 200;
const FACTOR: u32 = 10;
const MOST: u32 = 25;

/// Shorter times are not precise.
const LEAST: Duration = Duration::from_micros(100);

/// The time for which this thread has run, without the time for which others ran.
fn cpu_time() -> Duration {
    // The kernel brings the time up to date when the thread yields.
    std::thread::yield_now();
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    Duration::from_nanos(stat.split(' ').next().unwrap().parse().unwrap())
}

async fn server(contacts: &[usize]) -> Harness {
    let registry = Registry::new(&[spondee_modules::BUNDLE]).unwrap();
    let limit = 100 * SMALL;
    testing::host("localhost")
        .registry(registry)
        .module("presence")
        .module("message")
        .module("iq")
        .module("disco")
        .module("vcard")
        .module_with("roster", &format!("max_contacts = {limit}\nmax_groups = {limit}"))
        .module_with("private", &format!("max_elements = {limit}"))
        .module_with("blocking", &format!("max_items = {limit}"))
        .storage(rosters(contacts).await)
        .start()
        .await
        .unwrap()
}

/// A request with `count` parts.
type Request = fn(count: usize) -> String;

fn iq(kind: &str, payload: &str) -> String {
    format!("<iq type='{kind}' id='1'>{payload}</iq>")
}

fn many(count: usize, part: impl Fn(usize) -> String) -> String {
    (0..count).map(part).collect()
}

fn blocking(action: &str, count: usize) -> String {
    let items = many(count, |n| format!("<item jid='d{n}.example'/>"));
    iq("set", &format!("<{action} xmlns='urn:xmpp:blocking'>{items}</{action}>"))
}

fn private(kind: &str, count: usize) -> String {
    let parts = many(count, |n| format!("<e{n} xmlns='urn:x'>x</e{n}>"));
    iq(kind, &format!("<query xmlns='jabber:iq:private'>{parts}</query>"))
}

/// Stores rosters of accounts whose names are the numbers of their contacts, each contact at a domain
/// of its own.
async fn rosters(sizes: &[usize]) -> Arc<Memory> {
    let storage = Arc::new(Memory::new());
    for size in sizes {
        let owner = format!("user{size}");
        let contact = |n| {
            let jid = format!("c@d{n}.example");
            let item = format!("<item jid='{jid}' subscription='from'/>");
            let row = format!("<query xmlns='jabber:iq:roster' ver='1'>{item}</query>");
            Write::set(Partition::new("localhost", "roster", &owner), &jid, row.into_bytes())
        };
        storage.write((0..*size).map(contact).collect()).await.unwrap();
    }
    storage
}

async fn client(server: &Harness, count: usize) -> Client {
    let client = server.session(&format!("user{count}@localhost/x")).await;
    client.send(&iq("get", "<query xmlns='jabber:iq:roster'/>")).await;
    client.received();
    client
}

async fn time(client: &Client, request: &str) -> Duration {
    let before = cpu_time();
    client.send(request).await;
    let took = cpu_time() - before;
    assert!(client.closed().is_none(), "{}", &request[..request.len().min(200)]);
    client.received();
    took
}

#[test]
fn no_request_costs_the_product_of_its_parts() {
    let requests: &[(&str, Request)] = &[
        ("block", |count| blocking("block", count)),
        ("unblock", |count| blocking("unblock", count)),
        ("a blocklist", |_| iq("get", "<blocklist xmlns='urn:xmpp:blocking'/>")),
        ("a private set", |count| private("set", count)),
        ("a private get", |count| private("get", count)),
        ("a contact with many groups", |count| {
            let groups = many(count, |n| format!("<group>{n}</group>"));
            let item = format!("<item jid='a@b.example'>{groups}</item>");
            iq("set", &format!("<query xmlns='jabber:iq:roster'>{item}</query>"))
        }),
        ("a roster", |_| iq("get", "<query xmlns='jabber:iq:roster'/>")),
        ("a vCard", |count| {
            let parts = many(count, |n| format!("<NOTE>{n}</NOTE>"));
            iq("set", &format!("<vCard xmlns='vcard-temp'>{parts}</vCard>"))
        }),
        ("presence to all contacts", |count| {
            format!("<presence>{}</presence>", many(count / 50, |n| format!("<x{n} xmlns='a'/>")))
        }),
        ("a message with many children", |count| {
            let children = many(count, |n| format!("<x{n} xmlns='urn:x:{n}'/>"));
            format!("<message to='user{count}@localhost'>{children}</message>")
        }),
        ("an iq with many children", |count| {
            let children = many(count, |n| format!("<x{n} xmlns='urn:x:{n}'/>"));
            format!("<iq type='get' id='1' to='localhost'>{children}</iq>")
        }),
        ("disco with many children", |count| {
            let children = many(count, |n| format!("<feature var='{n}'/>"));
            let ns = "http://jabber.org/protocol/disco#info";
            let query = format!("<query xmlns='{ns}'>{children}</query>");
            format!("<iq type='get' id='1' to='localhost'>{query}</iq>")
        }),
    ];
    testing::run(async {
        let server = server(&[SMALL, SMALL * FACTOR as usize]).await;
        let small = client(&server, SMALL).await;
        let large = client(&server, SMALL * FACTOR as usize).await;
        for (name, request) in requests {
            let (one, ten) = (request(SMALL), request(SMALL * FACTOR as usize));
            let (mut fast, mut slow) = (Duration::MAX, Duration::MAX);
            for _ in 0..5 {
                fast = fast.min(time(&small, &one).await);
                slow = slow.min(time(&large, &ten).await);
            }
            println!("{name}: {fast:?}, ten times as much {slow:?}");
            assert!(slow < fast.max(LEAST) * MOST, "{name}: {fast:?}, ten times as much {slow:?}");
        }
    });
}

/// Sends an element and returns what its handlers cost.
async fn cost(client: &Client, request: &str) -> Cost {
    let mut send = pin!(client.send(request));
    let mut sum = Cost { stanzas: 0, bytes: 0 };
    poll_fn(|cx| {
        let (polled, cost) = cost::measure(client.session.payer(), || send.as_mut().poll(cx));
        sum.stanzas += cost.stanzas;
        sum.bytes += cost.bytes;
        polled.map(|()| sum)
    })
    .await
}

#[test]
fn a_stanza_is_charged_for_copies_and_storage() {
    testing::run(async {
        let server = server(&[30]).await;
        let client = client(&server, 30).await;
        let message =
            cost(&client, "<message to='nobody@localhost'><body>x</body></message>").await;
        assert_eq!(message, Cost { stanzas: 0, bytes: 0 });
        let presence = cost(&client, "<presence/>").await;
        assert!((30..40).contains(&presence.stanzas), "{presence:?}");
        let set = cost(&client, &private("set", 10)).await;
        assert!(set.stanzas >= 40 && (200..400).contains(&set.bytes), "{set:?}");
        let get = cost(&client, &private("get", 10)).await;
        assert_eq!((get.stanzas, get.bytes), (40, set.bytes));
    });
}
