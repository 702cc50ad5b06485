//! Compares the cost of an event with direct calls of the same functions, and with events whose
//! names are strings.
#![allow(missing_docs, clippy::unwrap_used, reason = "a benchmark")]

use std::{collections::HashMap, hint::black_box};

use criterion::{Criterion, criterion_group, criterion_main};
use event_core::{
    prelude::*,
    testing::{self, bare::Bare},
};

const MESSAGE: &str = "<message from='romeo@localhost/orchard' to='juliet@localhost' id='1' type='chat'><body>hi</body></message>";
const CHAT: &str = "<message from='romeo@localhost/orchard' to='juliet@localhost/balcony' id='1' type='chat'><body>hi</body></message>";
const IQ: &str = "<iq from='romeo@localhost/orchard' to='localhost' id='1' type='get'><query xmlns='jabber:iq:version'/></iq>";

macro_rules! modules {
    ($($module:ident $name:literal: $($function:ident)*;)*) => {$(
        mod $module {
            use super::*;

            /// Handlers that read the stanza and return `Continue`.
            #[module(name = $name)]
            struct Bench;

            $(
                #[hook("message/bare", priority = 10)]
                #[inline(never)]
                pub(super) fn $function(message: &mut Message) -> Flow {
                    if black_box(message.is_self()) { Flow::Handled } else { Flow::Continue }
                }
            )*
        }
    )*};
}

trait IsSelf {
    fn is_self(&self) -> bool;
}

impl IsSelf for Message {
    #[inline]
    fn is_self(&self) -> bool {
        self.to().is_none()
    }
}

modules! {
    one "bench_one": a;
    five "bench_five": a b c d e;
    twenty "bench_twenty": a b c d e f g h i j k l m n o p q r s t;
}

/// The two events of a client's message, with five handlers each.
mod both {
    use super::*;

    /// Handlers that do nothing.
    #[module(name = "bench_both")]
    struct Bench;

    macro_rules! empty {
        ($($event:literal: $($function:ident)*;)*) => {$($(
            #[hook($event, priority = 10)]
            pub(super) fn $function(_: &mut Message) -> Flow {
                Flow::Continue
            }
        )*)*};
    }

    empty! {
        "pre-message/full": a b c d e;
        "message/full": f g h i j;
    }
}

mod none {
    use super::*;

    /// Has no handler for messages.
    #[module(name = "bench_none")]
    struct Bench;

    #[hook("server-started")]
    fn started(_: &ServerStarted) {}
}

mod asynchronous {
    use super::*;

    /// An async handler that does not wait.
    #[module(name = "bench_async")]
    struct Bench;

    #[hook("message/bare", priority = 10)]
    async fn a(message: &mut Message) -> Flow {
        if black_box(message.is_self()) { Flow::Handled } else { Flow::Continue }
    }
}

mod cascade {
    use super::*;

    /// One handler at each step of the iq cascade.
    #[module(name = "bench_cascade")]
    struct Bench;

    #[hook("iq/host", priority = 10)]
    #[inline(never)]
    pub(super) fn first(iq: &mut Iq) -> Flow {
        black_box(iq);
        Flow::Continue
    }

    #[hook("iq/host/jabber:iq:version:query")]
    #[inline(never)]
    pub(super) fn second(iq: &mut Iq) -> Flow {
        black_box(iq);
        Flow::Continue
    }

    #[hook("iq-get/host/jabber:iq:version:query")]
    #[inline(never)]
    pub(super) fn third(iq: &mut Iq) -> Flow {
        black_box(iq);
        Flow::Handled
    }
}

/// Calls the functions directly, in order.
macro_rules! by_hand {
    ($payload:expr, $module:ident: $($function:ident)*) => {
        'chain: {
            $(if $module::$function($payload) == Flow::Handled {
                break 'chain false;
            })*
            true
        }
    };
}

/// Events whose names are strings.
struct Strings<P>(HashMap<String, Vec<Handler<P>>>);

type Function<P> = fn(&mut P) -> Flow;

type Handler<P> = Box<dyn Fn(&mut P) -> Flow>;

impl<P: 'static> Strings<P> {
    fn new(handlers: &[(&str, Function<P>)]) -> Self {
        let mut map = HashMap::<String, Vec<Handler<P>>>::new();
        for (name, handler) in handlers {
            map.entry((*name).to_owned()).or_default().push(Box::new(*handler));
        }
        Self(map)
    }

    fn fire(&self, name: &str, payload: &mut P) -> bool {
        let Some(handlers) = self.0.get(name) else { return true };
        handlers.iter().all(|handler| handler(payload) == Flow::Continue)
    }
}

fn with<T>(module: &str, measure: impl FnOnce(&Bare) -> T) -> T {
    testing::run(async {
        let server = testing::host("localhost").module(module).start().await.unwrap();
        measure(&Bare::new(&server))
    })
}

fn fire(c: &mut Criterion) {
    let mut group = c.benchmark_group("message");
    for (name, module) in [
        ("0 sync", "bench_none"),
        ("1 sync", "bench_one"),
        ("5 sync", "bench_five"),
        ("20 sync", "bench_twenty"),
        ("1 async", "bench_async"),
    ] {
        with(module, |bare| {
            let mut message = bare.message(MESSAGE);
            group.bench_function(name, |b| b.iter(|| bare.fire_message(black_box(&mut message))));
        });
    }
    with("bench_none", |bare| {
        let mut message = bare.message(MESSAGE);
        group.bench_function("1 by hand", |b| {
            b.iter(|| by_hand!(black_box(&mut message), one: a));
        });
        group.bench_function("5 by hand", |b| {
            b.iter(|| by_hand!(black_box(&mut message), five: a b c d e));
        });
        group.bench_function("20 by hand", |b| {
            b.iter(|| by_hand!(black_box(&mut message), twenty: a b c d e f g h i j k l m n o p q r s t));
        });
        for (name, handlers) in
            [("0 by name", 0), ("1 by name", 1), ("5 by name", 5), ("20 by name", 20)]
        {
            let strings =
                Strings::new(&vec![("message/bare", one::a as Function<Message>); handlers]);
            group.bench_function(name, |b| {
                b.iter(|| {
                    let message = black_box(&mut message);
                    let destination = black_box("bare");
                    strings.fire(&format!("{}/{destination}", message.element().name()), message)
                });
            });
        }
    });
    with("bench_twenty", |bare| {
        let mut message = bare.message(MESSAGE);
        group.bench_function("20 sync, routed", |b| {
            b.iter(|| bare.route_message(black_box(&mut message)));
        });
    });
    group.finish();
}

fn both(c: &mut Criterion) {
    let mut group = c.benchmark_group("pre-message/full and message/full");
    with("bench_both", |bare| {
        let mut message = bare.message(CHAT);
        group.bench_function("5 sync each", |b| {
            b.iter(|| {
                let message = black_box(&mut message);
                bare.fire_pre_message(message) && bare.fire_message(message)
            });
        });
        group.bench_function("5 sync each, routed", |b| {
            b.iter(|| bare.route_from_client(black_box(&mut message)));
        });
        // The minimum for a dispatch that does not know its handlers: one call by pointer for each.
        let functions: [Function<Message>; 10] = {
            use both::*;
            [a, b, c, d, e, f, g, h, i, j]
        };
        let functions = black_box(functions);
        group.bench_function("10 by pointer", |b| {
            b.iter(|| {
                let message = black_box(&mut message);
                functions.iter().all(|function| function(message) == Flow::Continue)
            });
        });
    });
    group.finish();
}

fn cascade(c: &mut Criterion) {
    let mut group = c.benchmark_group("iq");
    with("bench_cascade", |bare| {
        let mut iq = bare.iq(IQ);
        group.bench_function("look-up", |b| b.iter(|| bare.look_up(black_box(&iq))));
        group.bench_function("cascade", |b| b.iter(|| bare.fire_iq(black_box(&mut iq))));
        group.bench_function("cascade, routed", |b| {
            b.iter(|| bare.route_iq(black_box(&mut iq)));
        });
        group.bench_function("cascade by hand", |b| {
            b.iter(|| by_hand!(black_box(&mut iq), cascade: first second third));
        });
        let strings = Strings::new(&[
            ("iq/host", cascade::first as Function<Iq>),
            ("iq/host/jabber:iq:version:query", cascade::second),
            ("iq-get/host/jabber:iq:version:query", cascade::third),
        ]);
        group.bench_function("cascade by name", |b| {
            b.iter(|| {
                let iq = black_box(&mut iq);
                let destination = black_box("host");
                let kind = iq.type_().unwrap().into_owned();
                let child = iq.element().first_child().unwrap();
                let (namespace, name) = (child.namespace().to_owned(), child.name().to_owned());
                strings.fire(&format!("iq/{destination}"), iq)
                    && strings.fire(&format!("iq/{destination}/{namespace}:{name}"), iq)
                    && strings.fire(&format!("iq-{kind}/{destination}/{namespace}:{name}"), iq)
            });
        });
    });
    group.finish();
}

criterion_group!(benches, fire, both, cascade);
criterion_main!(benches);
