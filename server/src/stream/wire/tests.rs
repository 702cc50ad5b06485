//! Tests the queue of one stream, without a socket.

use std::{
    net::Ipv4Addr,
    task::{Context, Poll, Wake},
};

use super::{super::budget::Budget, *};
use crate::config::Limits;

fn wire(max: usize) -> Arc<Wire> {
    of(SessionKind::Client, max, Opening::Answer)
}

fn of(kind: SessionKind, max: usize, opening: Opening) -> Arc<Wire> {
    with(&budget(1 << 20), kind, max, opening)
}

/// The budget of strangers, to which the streams of these tests belong.
fn budget(most: usize) -> Arc<Budget> {
    Arc::new(Budget::new(&Limits { unauthenticated_waiting_bytes: most, ..Limits::default() }))
}

fn with(budget: &Arc<Budget>, kind: SessionKind, max: usize, opening: Opening) -> Arc<Wire> {
    let (peer, share) = (Ipv4Addr::LOCALHOST.into(), BudgetShare::of(budget));
    Arc::new(Wire::new(kind, peer, max, share, opening, true))
}

fn taken(wire: &Wire) -> String {
    let mut bytes = Vec::new();
    wire.take(&mut bytes);
    String::from_utf8(bytes).unwrap()
}

#[test]
fn an_error_before_the_header_gets_one() {
    let wire = wire(1000);
    wire.close(Some(StreamError::not_well_formed()));
    wire.close(None);
    let text = taken(&wire);
    assert!(text.starts_with("<?xml version='1.0'?><stream:stream "), "{text}");
    assert!(text.contains(" from='' "), "{text}");
    assert!(text.ends_with("</stream:error></stream:stream>"), "{text}");
    assert!(!wire.write(b"late"));
    assert_eq!(wire.command(), Some(Command::End));
}

#[test]
fn a_reader_too_slow_is_ended_and_costs_nothing_more() {
    let wire = wire(10);
    wire.open("<h>");
    assert_eq!(taken(&wire), "<h>");
    assert!(wire.write(b"1234567"));
    assert!(!wire.write(b"8"));
    assert_eq!(wire.ended(), Some(Ended::Overflow));
    let text = taken(&wire);
    assert!(!text.contains("1234567") && text.contains("<policy-violation"), "{text}");
}

#[test]
fn when_all_have_too_much_to_read_who_has_most_is_ended() {
    let budget = budget(64 * 1024);
    let [slow, other] =
        [0; 2].map(|_| with(&budget, SessionKind::Client, 1 << 20, Opening::Header("<h>".into())));
    assert!(slow.write(&[b'x'; 24 * 1024]) && other.write(&[b'x'; 16 * 1024]));
    assert!(!slow.write(&[b'x'; 8 * 1024]));
    let text = taken(&slow);
    assert!(!text.contains("xx") && text.contains("<resource-constraint"), "{text}");
    assert!(other.write(&[b'x'; 8 * 1024]));
}

#[test]
fn tls_begins_after_what_was_written_before() {
    let wire = wire(1000);
    wire.open("<h>");
    assert!(wire.write(b"<proceed/>"));
    wire.start_tls();
    assert!(!wire.can_start_tls());
    assert!(wire.write(b"secret"));
    assert_eq!(wire.command(), Some(Command::StartTls));
    assert_eq!(taken(&wire), "<h><proceed/>");
    assert_eq!(taken(&wire), "");
    wire.set_tls(TlsFacts { exporter: Some([1; 32]), certificates: vec![vec![2]] });
    assert!(wire.is_encrypted());
    assert_eq!(wire.tls_exporter(), Some(vec![1; 32]));
    assert_eq!(wire.peer_certificates(), [[2]]);
    assert_eq!(taken(&wire), "secret");
}

#[test]
fn a_server_too_slow_is_refused_more_but_stays() {
    let wire = of(SessionKind::Component, 10, Opening::Answer);
    wire.open("<h>");
    assert!(wire.write(b"1234567") && !wire.write(b"8"));
    assert_eq!(taken(&wire), "<h>1234567");
    wire.count_written(10);
    assert!(wire.write(b"8"));
}

#[test]
fn a_stream_of_our_own_begins_with_its_header_each_time() {
    let wire = of(SessionKind::S2sOut, 1000, Opening::Header("<h>".into()));
    wire.begin();
    wire.start_tls();
    assert_eq!(taken(&wire), "<h>");
    wire.set_tls(TlsFacts::default());
    assert!(wire.write(b"<auth/>"));
    wire.restart();
    wire.close(None);
    assert_eq!(taken(&wire), "<h><auth/><h></stream:stream>");
}

#[test]
fn flushed_is_what_the_system_took() {
    let wire = wire(1000);
    let is_flushed = |flushed: &mut BoxFuture<'_, bool>| match flushed
        .as_mut()
        .poll(&mut Context::from_waker(Waker::noop()))
    {
        Poll::Ready(is_flushed) => Some(is_flushed),
        Poll::Pending => None,
    };
    wire.open("<h>");
    wire.write(b"123");
    let mut first = Stream::flushed(&*wire);
    assert_eq!(is_flushed(&mut first), None);
    wire.write(b"456");
    let mut second = Stream::flushed(&*wire);
    assert_eq!(is_flushed(&mut second), None);
    let length = taken(&wire).len();
    assert_eq!(is_flushed(&mut first), None, "the bytes are taken, but not written");
    wire.count_written(length - 3);
    assert_eq!(is_flushed(&mut first), Some(true));
    assert_eq!(is_flushed(&mut second), None);
    wire.mark_gone();
    assert_eq!(is_flushed(&mut second), Some(false));
}

#[test]
fn parking_misses_nothing() {
    let wire = wire(1000);
    let park = |bytes, commands| wire.park(Waker::noop(), bytes, commands);
    assert!(park(true, true));
    wire.write(b"x");
    assert!(!park(true, true));
    assert!(park(false, true));
    taken(&wire);
    assert!(park(true, true));
    wire.restart();
    assert!(!park(true, true));
    assert!(park(true, false));
    assert_eq!(wire.command(), Some(Command::Restart));
    assert_eq!(wire.command(), None);
}

#[test]
fn only_a_task_that_waits_is_woken_for_bytes() {
    struct Woken(AtomicBool);

    impl Wake for Woken {
        fn wake(self: Arc<Self>) {
            self.0.store(true, Ordering::Relaxed);
        }
    }

    let wire = wire(1000);
    let woken = Arc::new(Woken(AtomicBool::new(false)));
    let is_woken = || woken.0.swap(false, Ordering::Relaxed);
    let waker = Waker::from(Arc::clone(&woken));
    assert!(wire.park(&waker, true, true));
    wire.write(b"x");
    assert!(is_woken());
    wire.write(b"y");
    assert!(!is_woken(), "the task was woken already");
    assert_eq!(taken(&wire), "xy");
    assert!(wire.park(&waker, true, true));
    assert_eq!(taken(&wire), "", "the queue is empty");
    wire.write(b"its own answer");
    assert!(!is_woken(), "a task that runs is not woken");
    assert!(!wire.park(&waker, true, true));
}
