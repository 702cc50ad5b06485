//! The metrics of a running server, read over HTTP as Prometheus does.

#![expect(clippy::unwrap_used, reason = "a test that cannot continue has failed")]

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    time::Instant,
};

use spondee_tests::{
    TIMEOUT,
    raw::Raw,
    server::{Server, Setup},
};

const LISTEN: &str = "[[listen]]\nkind = \"http\"\naddress = \"127.0.0.1:0\"\n";

fn server() -> (Server, SocketAddr) {
    let mut server = Server::with(&Setup {
        host: "allow_plaintext = true".into(),
        tables: format!(
            "[host.\"other.example\"]\nmodules = [\"+recorder\"]\n\
             [host.\"other.example\".module.recorder]\nfile = RECORDS\n{LISTEN}"
        ),
        ..Setup::default()
    });
    let address = server.address("kind=http ");
    (server, address)
}

/// The answer to a request: head and body.
fn request(address: SocketAddr, request: &str) -> (String, String) {
    let mut socket = TcpStream::connect(address).unwrap();
    socket.set_read_timeout(Some(TIMEOUT)).unwrap();
    socket.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    socket.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.to_owned(), body.to_owned())
}

fn get(address: SocketAddr, path: &str) -> (String, String) {
    request(address, &format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n"))
}

/// The value of a series, by its name with its labels.
fn value(metrics: &str, series: &str) -> f64 {
    let line = metrics.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
    line.unwrap_or_else(|| panic!("no {series} in:\n{metrics}")).parse().unwrap()
}

/// The sum of all series whose line contains all of these parts.
fn sum(metrics: &str, parts: &[&str]) -> f64 {
    let lines = metrics.lines().filter(|line| parts.iter().all(|part| line.contains(part)));
    lines.map(|line| line.rsplit(' ').next().unwrap().parse::<f64>().unwrap()).sum()
}

#[test]
fn the_server_counts_streams_stanzas_and_storage() {
    let (server, address) = server();
    let mut romeo = Raw::login(&server, "romeo", "here");
    let mut juliet = Raw::login(&server, "juliet", "there");
    let (head, before) = get(address, "/metrics");
    assert!(head.starts_with("HTTP/1.1 200 OK\r\n"), "{head}");
    let type_ = "content-type: application/openmetrics-text; version=1.0.0; charset=utf-8";
    assert!(head.contains(type_), "{head}");
    assert!(before.ends_with("\n# EOF\n"), "{before}");
    assert_eq!(value(&before, "spondee_sessions{host=\"localhost\"}"), 2.0);
    assert_eq!(value(&before, "spondee_sessions{host=\"other.example\"}"), 0.0);
    assert_eq!(value(&before, "spondee_streams{stream=\"c2s\"}"), 2.0);
    // The queue counts bytes for a moment after the client has received them.
    let deadline = Instant::now() + TIMEOUT;
    let queued =
        || value(&get(address, "/metrics").1, "spondee_stream_queue_bytes{stream=\"c2s\"}");
    while queued() != 0.0 {
        assert!(Instant::now() < deadline, "bytes still wait");
    }
    assert!(value(&before, "spondee_uptime_seconds") > 0.0);
    assert!(value(&before, "spondee_log_lines_dropped_total").abs() < f64::EPSILON);

    for number in 0..7 {
        romeo.send(&format!(
            "<message to='juliet@localhost/there' id='m{number}'><body>{number}</body></message>"
        ));
    }
    juliet.wait("m6");
    romeo.send("<iq type='get' id='v' to='localhost'><query xmlns='jabber:iq:version'/></iq>");
    romeo.wait("id='v'");
    romeo.send(
        "<iq type='set' id='s'><query xmlns='jabber:iq:private'><a xmlns='urn:a'/></query></iq>",
    );
    romeo.wait("id='s'");

    let (_, after) = get(address, "/metrics");
    let grown = |series: &str| value(&after, series) - value(&before, series);
    let received = "spondee_stanzas_received_total{stream=\"c2s\",stanza=\"message\"}";
    assert_eq!(grown(received), 7.0);
    assert_eq!(grown("spondee_stanzas_received_total{stream=\"c2s\",stanza=\"iq\"}"), 2.0);
    assert_eq!(grown("spondee_stanzas_sent_total{stream=\"c2s\"}"), 9.0);
    assert!(grown("spondee_received_bytes_total{stream=\"c2s\"}") > 500.0);
    assert!(grown("spondee_sent_bytes_total{stream=\"c2s\"}") > 500.0);
    assert_eq!(grown("spondee_storage_writes_total"), 1.0);
    assert!(grown("spondee_storage_write_seconds_total") > 0.0);
    assert_eq!(value(&after, "spondee_storage_queue_transactions"), 0.0);
    let version = ["spondee_handler_handled_total{host=\"localhost\"", "jabber:iq:version"];
    assert_eq!(sum(&after, &version), 1.0);
    let calls = [
        "spondee_handler_calls_total{host=\"localhost\"",
        "event=\"message/full\"",
        "module=\"message\"",
    ];
    assert_eq!(sum(&after, &calls) - sum(&before, &calls), 7.0);
}

#[test]
fn modules_add_their_own_metrics() {
    let (server, address) = server();
    let _romeo = Raw::login(&server, "romeo", "here");
    let (_, metrics) = get(address, "/metrics");
    assert_eq!(value(&metrics, "recorder_clients{host=\"localhost\"}"), 1.0);
    assert_eq!(value(&metrics, "recorder_clients{host=\"other.example\"}"), 0.0);
    assert_eq!(metrics.matches("# TYPE recorder_clients gauge\n").count(), 1);
    // The handler runs once for each host that enables the module. All runs share one payload, so the
    // second host sees the sample of the first.
    let records = server.records();
    let fired: Vec<_> = records.iter().filter(|line| line.starts_with("stats-update\t")).collect();
    assert_eq!(fired, ["stats-update\tlocalhost\t0", "stats-update\tother.example\t1"]);
}

#[test]
fn other_http_requests_get_the_right_status() {
    let (mut server, address) = server();
    let line = |text: &str| request(address, text).0.lines().next().unwrap().to_owned();
    let (head, body) = get(address, "/healthz");
    assert!(head.starts_with("HTTP/1.1 200 OK"), "{head}");
    assert_eq!(body, "ok\n");
    assert!(get(address, "/").0.starts_with("HTTP/1.1 404 Not Found"));
    let rebound = "GET /metrics HTTP/1.1\r\nHost: evil.example\r\n\r\n";
    assert_eq!(line(rebound), "HTTP/1.1 421 Misdirected Request");
    assert!(get(address, "/metrics/../healthz").0.starts_with("HTTP/1.1 404"));
    let host = "Host: localhost\r\n";
    let post = format!("POST /metrics HTTP/1.1\r\n{host}Content-Length: 0\r\n\r\n");
    assert_eq!(line(&post), "HTTP/1.1 405 Method Not Allowed");
    assert_eq!(request(address, &format!("HEAD /healthz HTTP/1.1\r\n{host}\r\n")).1, "");
    assert_eq!(line("<stream:stream to='localhost'>\r\n\r\n"), "HTTP/1.1 400 Bad Request");
    let long = format!("GET /{} HTTP/1.1\r\n{host}\r\n", "a".repeat(20_000));
    let refused = line(&long);
    assert!(refused.contains(" 414 ") || refused.contains(" 431 "), "{refused}");
    // A connection with an incomplete request does not keep the server from stopping.
    let mut silent = TcpStream::connect(address).unwrap();
    silent.write_all(b"GET /metrics HTTP/1.1\r\n").unwrap();
    server.stop();
}
