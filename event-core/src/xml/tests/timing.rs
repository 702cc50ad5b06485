//! What the parts cost, for comparing before and after a change:
//! `cargo test --release -p event-core timing -- --ignored --nocapture`.

use std::{hint::black_box, time::Instant};

use crate::xml::{Element, Framer, Limits, Scope};

const PLAIN: &str = "<message to='romeo17@montague.example/rig' type='chat' id='m-000123'>\
    <body>It was the nightingale, and not the lark, that pierced the fearful hollow of thine \
    ear</body></message>";

const RICH: &str = "<message from='juliet@capulet.example/x' to='romeo17@montague.example/rig' \
    type='chat' id='m-000123' xml:lang='en'><body>It was the nightingale, and not the lark, that \
    pierced the fearful hollow of thine ear</body><origin-id xmlns='urn:xmpp:sid:0' \
    id='m-000123'/><request xmlns='urn:xmpp:receipts'/><markable \
    xmlns='urn:xmpp:chat-markers:0'/><active xmlns='http://jabber.org/protocol/chatstates'/>\
    </message>";

/// The best of several rounds, as the others were disturbed.
fn time(what: &str, mut work: impl FnMut()) {
    const TIMES: u32 = 5000;
    let round = || {
        let start = Instant::now();
        (0..TIMES).for_each(|_| work());
        start.elapsed() / TIMES
    };
    let best = std::iter::repeat_with(round).take(50).min().unwrap();
    println!("  {what}: {} ns", best.as_nanos());
}

#[test]
#[ignore = "prints figures, checks nothing"]
fn timing() {
    let limits = Limits::default();
    let scope = Scope::default().with_prefix("stream", crate::xml::STREAM_NS);
    let declared = PLAIN.replace("<message", "<message xmlns='jabber:client'");
    for xml in [PLAIN, &declared, RICH] {
        println!("{} bytes", xml.len());
        let parse = || Element::parse(black_box(xml.as_bytes()), &scope, &limits).unwrap();
        time("parse", || drop(black_box(parse())));
        let mut framer = Framer::new();
        framer.next(b"<s>", &limits).unwrap();
        time("frame", || {
            let _ = black_box(framer.next(black_box(xml.as_bytes()), &limits));
        });
        let element = parse();
        time("set from", || {
            let mut copy = element.clone();
            copy.set_attribute("from", Some("juliet@capulet.example/balcony"));
            black_box(copy);
        });
        time("read to, type and body", || {
            black_box((element.attribute("to"), element.attribute("type")));
            black_box(
                element
                    .child("body", "jabber:client")
                    .map(|body| body.text().len()),
            );
        });
    }
}
