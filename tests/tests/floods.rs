//! Who floods is slowed down, closed or not let in, and nobody else notices.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::time::{Duration, Instant};

use spondee_tests::{
    raw::{self, Raw},
    server::{Server, Setup},
};

fn server(limits: &str) -> Server {
    Server::with(&Setup {
        host: "allow_plaintext = true".into(),
        tables: format!("[limits]\n{limits}\n"),
        ..Setup::default()
    })
}

fn ping(id: &str) -> String {
    format!("<iq type='get' id='{id}' to='localhost'><ping xmlns='urn:xmpp:ping'/></iq>")
}

/// Pings as fast as it goes, each answer read.
fn flood(mut flooder: Raw, pings: usize, padding: &str) -> Duration {
    let begun = Instant::now();
    let burst = format!("{}{padding}", ping("more")).repeat(pings);
    flooder.send(&(burst + &ping("last")));
    flooder.wait("id='last'");
    begun.elapsed()
}

/// Another client's pings are answered while the flooder's wait.
fn is_noticed_by_the_flooder_alone(server: &Server, pings: usize, padding: &str) {
    let romeo = Raw::login(server, "romeo", "orchard");
    std::thread::scope(|scope| {
        let flooder = scope.spawn(|| flood(romeo, pings, padding));
        let mut juliet = Raw::login(server, "juliet", "balcony");
        for number in 0..50 {
            let id = number.to_string();
            juliet.send(&ping(&id));
            juliet.wait(&format!("id='{id}'"));
        }
        assert!(!flooder.is_finished(), "the flooder was not slowed down");
        let took = flooder.join().unwrap();
        assert!(took > Duration::from_secs(2), "{took:?}");
    });
}

#[test]
fn many_stanzas_are_read_slowly() {
    let server = server("stanzas_per_second = 200\nburst_seconds = 1");
    is_noticed_by_the_flooder_alone(&server, 1000, "");
}

#[test]
fn many_bytes_are_read_slowly() {
    let server = server("bytes_per_second = 20000\nburst_seconds = 1");
    is_noticed_by_the_flooder_alone(&server, 100, &" ".repeat(1000));
}

#[test]
fn what_the_limits_allow_is_not_slowed_down() {
    let server = server("stanzas_per_second = 5000\nbytes_per_second = 1000000");
    let took = flood(Raw::login(&server, "romeo", "orchard"), 5000, "");
    assert!(took < Duration::from_secs(20), "{took:?}");
}

#[test]
fn a_flood_without_end_is_closed() {
    let server = server("stanzas_per_second = 50\nburst_seconds = 1\nflood_seconds = 2");
    let mut flooder = Raw::login(&server, "romeo", "orchard");
    flooder.send(&ping("more").repeat(20_000));
    let end = flooder.wait_end();
    assert!(end.contains("<policy-violation"), "no error in the end");
    server.wait_record("resource-unbind\tlocalhost\tromeo@localhost/orchard policy-violation");
}

#[test]
fn an_address_that_connects_too_often_is_told_so() {
    let server =
        server("connections_per_second = 1\nburst_seconds = 3\nauthentication_seconds = 1");
    let mut all: Vec<_> = (0..50).map(|_| Raw::connect_from_elsewhere(&server)).collect();
    let ends: Vec<_> = all.iter_mut().map(Raw::wait_end).collect();
    assert!(ends.iter().any(|end| end.contains("<connection-timeout")), "nobody was let in");
    assert!(ends.iter().any(|end| end.contains("<policy-violation")), "everybody was let in");
    // This machine is no address like others.
    assert!((0..50).all(|_| is_answered(Raw::connect(&server))));
    // In time, it may come again.
    let deadline = Instant::now() + spondee_tests::PATIENCE;
    while !is_answered(Raw::connect_from_elsewhere(&server)) {
        assert!(Instant::now() < deadline, "the address is kept out");
    }
}

fn is_answered(mut raw: Raw) -> bool {
    raw.try_send(raw::header("localhost").as_bytes());
    raw.try_wait("</stream:features>").is_some()
}

#[test]
fn when_there_are_too_many_connections_the_next_is_told_so() {
    let server = server("connections = 2");
    let _connected: Vec<_> = (0..2).map(|_| Raw::connect(&server)).collect();
    let end = Raw::connect(&server).wait_end();
    assert!(end.contains("<resource-constraint"), "{end}");
}

#[test]
fn stanzas_without_an_end_take_no_more_memory_than_is_allowed() {
    let server = server("waiting_bytes = 1048576");
    let mut juliet = Raw::login(&server, "juliet", "balcony");
    let part = format!("<message><body>{}", "x".repeat(200_000));
    // A fifth of what is allowed: not all can be kept.
    let _romeos: Vec<_> = (0..6)
        .map(|number| {
            let mut romeo = Raw::login(&server, "romeo", &number.to_string());
            romeo.send(&part);
            romeo
        })
        .collect();
    let ended = server.wait_record("resource-unbind\tlocalhost\tromeo@localhost/");
    assert!(ended.contains("resource-constraint"), "{ended}");
    juliet.send(&ping("still"));
    juliet.wait("id='still'");
}
