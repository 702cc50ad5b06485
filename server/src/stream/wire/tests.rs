//! Tests the queue of one stream, without a socket.

use std::{
    net::Ipv4Addr,
    task::{Context, Poll, Wake, Waker},
};

use event_core::{
    BoxFuture, Stream,
    xml::{ElementBuilder, STANZA_NS},
};

use super::{super::budget::Budget, *};
use crate::config::Limits;

fn wire(max: usize) -> Arc<Wire> {
    of(SessionKind::Client, max, Opening::Answer)
}

fn of(kind: SessionKind, max: usize, opening: Opening) -> Arc<Wire> {
    with(&budget(8 << 20), kind, max, opening)
}

/// The budget of strangers, to which the streams of these tests belong.
fn budget(most: usize) -> Arc<Budget> {
    Arc::new(Budget::new(&Limits { unauthenticated_waiting_bytes: most, ..Limits::default() }))
}

fn with(budget: &Arc<Budget>, kind: SessionKind, max: usize, opening: Opening) -> Arc<Wire> {
    let (peer, share) = (Ipv4Addr::LOCALHOST.into(), BudgetShare::of(budget));
    Arc::new(Wire::new(kind, peer, (max, 60), share, opening, true))
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
    wire.count_written(3);
    assert!(wire.write(&[b'1'; OWN_BYTES + 11]), "an answer may be larger than the queue");
    assert!(!wire.write(b"8"));
    assert_eq!(wire.ended(), Some(Ended::Overflow));
    let text = taken(&wire);
    assert!(!text.contains('1') && text.contains("<policy-violation"), "{text}");
}

/// A message of about 1000 bytes.
fn message(from: &str) -> Element {
    let body = ElementBuilder::new("body", STANZA_NS).text(&"x".repeat(900)).build();
    ElementBuilder::new("message", STANZA_NS).attribute("from", from).child(&body).build()
}

/// Sends messages until one is refused. Returns the number of those that were not.
fn fill(wire: &Wire, from: impl Fn(usize) -> String) -> usize {
    (0..).take_while(|number| wire.deliver(&message(&from(*number)))).count()
}

#[test]
fn no_sender_and_no_domain_takes_the_whole_queue() {
    let wire = wire(100_000);
    let friend = message("friend@friends.example/phone");
    wire.open("<h>");
    let taken = fill(&wire, |number| format!("stranger@evil.example/{number}"));
    assert!((25..=52).contains(&taken), "{taken}");
    assert!(wire.deliver(&friend), "a stranger's burst leaves room for others");
    let taken = taken + fill(&wire, |number| format!("{number}@evil.example"));
    assert!((50..=77).contains(&taken), "{taken}");
    assert!(wire.deliver(&friend), "a domain's burst leaves room for others");
    assert_eq!(wire.ended(), None, "a burst ends no stream");
    fill(&wire, |number| format!("a@{number}.example"));
    assert!(!wire.deliver(&friend) && wire.write(b"<own/>"), "the rest is for the server itself");
}

#[test]
fn what_was_written_is_free_for_the_sender_again() {
    let wire = wire(100_000);
    wire.open("<h>");
    let from = |_| "stranger@evil.example".to_owned();
    let first = fill(&wire, from);
    for _ in 0..3 {
        let length = taken(&wire).len();
        assert!(fill(&wire, from) <= first, "what is being written counts");
        wire.count_written(length);
    }
    let length = taken(&wire).len();
    wire.count_written(length);
    assert!(wire.out().strain.is_none());
    assert_eq!(fill(&wire, from), first);
}

#[test]
fn who_reads_nothing_for_long_is_ended_and_nothing_is_lost() {
    let wire = wire(100_000);
    wire.out().unread_seconds = 0;
    wire.open("<h>");
    taken(&wire);
    let mut all = 0;
    for round in 0..3 {
        all += fill(&wire, |_| format!("{round}@evil.example"));
        assert_eq!(wire.ended(), None);
        wire.count_written(1);
    }
    assert!(wire.write(b"<own/>"));
    wire.hold();
    assert!(wire.deliver(&message("friend@friends.example")));
    all += fill(&wire, |_| "3@evil.example".to_owned());
    assert_eq!(wire.ended(), None, "what is kept apart is refused without harm");
    wire.release();
    while wire.ended().is_none() {
        assert!(!wire.deliver(&message("0@evil.example")));
    }
    assert_eq!(wire.ended(), Some(Ended::Overflow));
    assert!(taken(&wire).contains("<policy-violation"));
    let left = String::from_utf8(wire.leftover()).unwrap();
    assert_eq!(left.matches("<message ").count(), all + 1);
    assert!(left.find("<own/>") < left.find("friend@"), "in order");
}

#[test]
fn messages_are_kept_apart_until_the_stored_ones_are_sent() {
    let wire = wire(100_000);
    wire.open("<h>");
    wire.hold();
    let presence = ElementBuilder::new("presence", STANZA_NS).build();
    assert!(wire.deliver(&message("a@b")) && wire.deliver(&presence) && wire.write(b"<stored/>"));
    assert_eq!(taken(&wire), format!("<h>{presence}<stored/>"));
    assert!(fill(&wire, |number| format!("{number}@{number}")) < 70, "the room is bounded");
    wire.release();
    assert!(wire.deliver(&message("late@b")));
    let text = taken(&wire);
    assert!(text.starts_with("<message from='a@b'>") && text.contains("late@b"), "{text}");
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
    let presence = ElementBuilder::new("presence", STANZA_NS).build();
    assert!(wire.write(b"1234567") && !wire.deliver(&presence) && !wire.deliver(&presence));
    assert_eq!(wire.ended(), None);
    assert_eq!(taken(&wire), "<h>1234567");
    wire.count_written(10);
    assert!(!wire.deliver(&presence), "larger than the queue");
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

#[tokio::test]
async fn flushed_is_what_the_system_took() {
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

#[test]
fn who_is_established_is_certain_of_some_bytes_at_once() {
    let budget = budget(0);
    let wire = with(&budget, SessionKind::S2sOut, 1 << 20, Opening::Header("<h>".into()));
    assert!(!wire.write(&[b'x'; 20_000]), "a stranger has no more than is free");
    Stream::note_established(&*wire);
    assert!(wire.write(&[b'x'; 60_000]));
}
