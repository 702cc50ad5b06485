//! Clients that flood are slowed down, closed or refused, and other clients are served.
#![expect(clippy::unwrap_used, reason = "a test that cannot continue has failed")]

use std::{
    sync::mpsc,
    time::{Duration, Instant},
};

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

/// Sends pings without a pause and reads each answer.
fn flood(mut flooder: Raw, pings: usize, padding: &str) -> Duration {
    let begun = Instant::now();
    let burst = format!("{}{padding}", ping("more")).repeat(pings);
    flooder.send(&(burst + &ping("last")));
    flooder.wait("id='last'");
    begun.elapsed()
}

/// Asserts that another client's pings are answered while the flooding client's pings wait.
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
        assert!(!flooder.is_finished(), "the flooding client was not slowed down");
        let took = flooder.join().unwrap();
        assert!(took > Duration::from_secs(2), "{took:?}");
    });
}

#[test]
fn stanzas_above_the_rate_limit_are_read_slowly() {
    let server = server("stanzas_per_second = 200\nburst_seconds = 1");
    is_noticed_by_the_flooder_alone(&server, 1000, "");
}

#[test]
fn bytes_above_the_rate_limit_are_read_slowly() {
    let server = server("bytes_per_second = 20000\nburst_seconds = 1");
    is_noticed_by_the_flooder_alone(&server, 100, &" ".repeat(1000));
}

#[test]
fn input_within_the_limits_is_not_slowed_down() {
    let server = server("stanzas_per_second = 5000\nbytes_per_second = 1000000");
    let took = flood(Raw::login(&server, "romeo", "orchard"), 5000, "");
    assert!(took < Duration::from_secs(20), "{took:?}");
}

#[test]
fn an_endless_flood_is_closed() {
    let server = server("stanzas_per_second = 50\nburst_seconds = 1\nflood_seconds = 2");
    let mut flooder = Raw::login(&server, "romeo", "orchard");
    flooder.send(&ping("more").repeat(20_000));
    let end = flooder.wait_end();
    assert!(end.contains("<policy-violation"), "the stream ended without an error");
    server.wait_record("resource-unbind\tlocalhost\tromeo@localhost/orchard policy-violation");
}

#[test]
fn an_address_that_connects_too_often_gets_an_error() {
    let server =
        server("connections_per_second = 1\nburst_seconds = 3\nauthentication_seconds = 1");
    let mut all: Vec<_> = (0..50).map(|_| Raw::connect_from_elsewhere(&server)).collect();
    let ends: Vec<_> = all.iter_mut().map(Raw::wait_end).collect();
    assert!(
        ends.iter().any(|end| end.contains("<connection-timeout")),
        "no connection was accepted"
    );
    assert!(
        ends.iter().any(|end| end.contains("<policy-violation")),
        "every connection was accepted"
    );
    // The limits for addresses do not apply to the addresses of this machine.
    assert!((0..50).all(|_| is_answered(Raw::connect(&server))));
    // The address may connect again after a while.
    let deadline = Instant::now() + spondee_tests::TIMEOUT;
    while !is_answered(Raw::connect_from_elsewhere(&server)) {
        assert!(Instant::now() < deadline, "the address is still refused");
    }
}

fn is_answered(mut raw: Raw) -> bool {
    raw.try_send(raw::header("localhost").as_bytes());
    raw.try_wait("</stream:features>").is_some()
}

#[test]
fn a_connection_above_the_limit_gets_an_error() {
    let server = server("connections = 2");
    let _connected: Vec<_> = (0..2).map(|_| Raw::connect(&server)).collect();
    let end = Raw::connect(&server).wait_end();
    assert!(end.contains("<resource-constraint"), "{end}");
}

#[test]
fn strangers_take_no_memory_from_sessions() {
    let server = server("waiting_bytes = 1048576\nunauthenticated_waiting_bytes = 65536");
    let mut juliet = Raw::login(&server, "juliet", "balcony");
    let part = format!("<stream:stream padding='{}", "x".repeat(12_000));
    let (tell, refused) = mpsc::channel();
    for _ in 0..100 {
        let mut stranger = Raw::connect(&server);
        stranger.try_send(part.as_bytes());
        let tell = tell.clone();
        // The few that are not refused wait until the server ends.
        std::thread::spawn(move || tell.send(stranger.try_wait("<resource-constraint").is_some()));
    }
    for _ in 0..90 {
        assert!(refused.recv_timeout(spondee_tests::TIMEOUT).unwrap());
    }
    let body = "x".repeat(60_000);
    let to = "juliet@localhost/balcony";
    juliet.send(&format!("<message to='{to}'><body>{body}</body></message>"));
    juliet.wait("</message>");
}

#[test]
fn endless_stanzas_take_no_more_memory_than_the_limit() {
    let server = server("waiting_bytes = 1048576");
    let mut juliet = Raw::login(&server, "juliet", "balcony");
    let part = format!("<message><body>{}", "x".repeat(250_000));
    // Six parts, of which 64 KiB are not counted: the others are more than the limit, so the server
    // must close one stream.
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
