use std::net::SocketAddr;
use std::time::{Duration, Instant};

use event_core::Condition;
use tokio::net::TcpListener;

use super::dns::Zone;
use crate::s2s::connect::{ConnectError, Connector, first_of};

async fn listener(at: &str) -> (TcpListener, u16) {
    let listener = TcpListener::bind((at, 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    (listener, port)
}

/// A port on which nobody listens.
async fn closed() -> u16 {
    listener("127.0.0.1").await.1
}

#[tokio::test]
async fn targets_are_tried_in_order_until_nothing_is_left() {
    let (_one, starttls) = listener("127.0.0.1").await;
    let (_two, direct) = listener("127.0.0.1").await;
    let dns = Zone::default()
        .srv("_xmpp-server._tcp.a.example", &format!("1 0 {} h.example", closed().await))
        .srv("_xmpp-server._tcp.a.example", "2 0 5269 nowhere.example")
        .srv("_xmpps-server._tcp.a.example", &format!("3 0 {direct} h.example"))
        .srv("_xmpp-server._tcp.a.example", &format!("4 0 {starttls} h.example"))
        .ip("h.example", "127.0.0.1")
        .serve()
        .await;
    let connector = Connector::new(&dns.config());
    let mut route = connector.route("a.example").await.unwrap();
    let first = route.connect().await.unwrap();
    assert_eq!((first.peer.port(), first.is_direct_tls), (direct, true));
    let second = route.connect().await.unwrap();
    assert_eq!((second.peer.port(), second.is_direct_tls), (starttls, false));
    let error = route.connect().await.unwrap_err();
    assert!(matches!(error, ConnectError::Exhausted(_)), "{error}");
}

#[tokio::test]
async fn an_address_that_refuses_gives_way_at_once() {
    let (_listener, port) = listener("127.0.0.1").await;
    let dns = Zone::default()
        .srv("_xmpp-server._tcp.a.example", &format!("0 0 {port} h.example"))
        .ip("h.example", "::1")
        .ip("h.example", "127.0.0.2")
        .ip("h.example", "127.0.0.1")
        .serve()
        .await;
    let connector = Connector::new(&dns.config());
    let connected = connector.route("a.example").await.unwrap().connect().await.unwrap();
    assert_eq!(connected.peer.to_string(), format!("127.0.0.1:{port}"));
}

#[tokio::test]
async fn an_address_that_is_mute_gives_way_soon() {
    let addresses: Vec<SocketAddr> =
        ["[2001:db8::1]:1", "192.0.2.1:1", "192.0.2.2:1"].map(|at| at.parse().unwrap()).into();
    let begun = Instant::now();
    let connect = |address: SocketAddr| async move {
        match address.to_string().as_str() {
            "192.0.2.1:1" => Ok(address),
            _ => std::future::pending().await,
        }
    };
    let first = first_of(addresses, connect).await.unwrap();
    assert_eq!(first.to_string(), "192.0.2.1:1");
    assert!(begun.elapsed() >= Duration::from_millis(250), "{:?}", begun.elapsed());
}

#[tokio::test]
async fn what_is_told_does_not_say_which_ports_are_open() {
    let port = closed().await;
    let dns = Zone::default()
        .srv("_xmpp-server._tcp.a.example", &format!("0 0 {port} h.example"))
        .ip("h.example", "127.0.0.1")
        .serve()
        .await;
    let connector = Connector::new(&dns.config());
    let condition = |error: &ConnectError| error.told("a.example").condition();
    let refused = connector.route("a.example").await.unwrap().connect().await.unwrap_err();
    assert_eq!(condition(&refused), Condition::RemoteServerTimeout);
    let public = Connector::new(&crate::config::S2s { private: false, ..dns.config() });
    let filtered = public.route("a.example").await.unwrap().connect().await.unwrap_err();
    let late = ConnectError::TimedOut("a.example".into());
    for error in [&refused, &filtered, &late, &ConnectError::Exhausted("a.example".into())] {
        let told = error.told("a.example");
        assert_eq!(told.to_string(), refused.told("a.example").to_string(), "{error}");
        assert_eq!(told.condition(), Condition::RemoteServerTimeout, "{error}");
    }
    // The log has the reason.
    assert!(filtered.to_string().contains("private"), "{filtered}");
    let text = refused.to_string();
    assert!(
        text.starts_with(&format!("cannot connect to a.example at h.example:{port}: ")),
        "{text}"
    );
    let unknown = connector.route("b.example").await.unwrap().connect().await.unwrap_err();
    assert_eq!(condition(&unknown), Condition::RemoteServerNotFound);
}
