//! Messages between pairs of a sender and a receiver.

use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use tokio::task::JoinSet;

use crate::ledger::Ledger;
use crate::mix::Mix;
use crate::options::Res;
use crate::run::{Phase, Run, sessions, work};
use crate::xmpp::{Conn, Event, attr, number};

pub(crate) async fn chat(run: &Arc<Run>) -> Res<()> {
    let options = &run.options;
    let pairs = options.num("pairs", 100)?;
    let body = options.num("body", 100)?;
    let to = options.one_of("to", &["full", "bare"])?;
    let mix = options.one_of("mix", &["plain", "rich"])?;
    let mut all = sessions(run, pairs * 2, true).await?.into_iter();
    let mut set = JoinSet::new();
    let mut p = 0;
    while let (Some(s), Some(r)) = (all.next(), all.next()) {
        let to = if to == "bare" { run.target.bare(run.first + 2 * p + 1) } else { r.jid.clone() };
        let mix = if mix == "rich" { Mix::rich(&to) } else { Mix::plain(&to, body) };
        work(&mut set, run, pair(run.clone(), s, r, mix));
        p += 1;
    }
    let mut r = run.report("chat");
    r.text("to", to);
    r.text("mix", mix);
    r.int("pairs", pairs as u64);
    r.int("window", run.window as u64);
    if mix == "plain" {
        r.int("body", body as u64);
    }
    run.measure(r, set).await
}

async fn pair(run: Arc<Run>, mut s: Conn, mut r: Conn, mix: Mix) -> io::Result<()> {
    let mut ledger = Ledger::new(run.window);
    let mut phase = run.phase.subscribe();
    let mut out = Vec::new();
    let mut ending = Phase::Run;
    let end = loop {
        let now = run.stats.now_us();
        while let Some(e) = r.framer.next() {
            if let Event::Stanza(m) = e
                && m.starts_with(b"<message")
                && let Some(seq) = attr(m, "id").and_then(number)
            {
                ledger.arrive(seq, now, &run.stats);
            }
        }
        while let Some(e) = s.framer.next() {
            if let Event::Stanza(m) = e
                && attr(m, "type") == Some(b"error")
            {
                run.stats.errors.fetch_add(1, Relaxed);
            }
        }
        if ending == Phase::Run {
            for _ in 0..ledger.room(run.window) {
                mix.write(ledger.send(now), &mut out);
            }
            if !out.is_empty() {
                s.send(&out).await?;
                out.clear();
            }
        } else if ledger.on_the_way() == 0 || ending == Phase::Abort {
            break Ok(());
        }
        let io = tokio::select! {
            x = r.fill() => x,
            x = s.fill() => x,
            _ = phase.changed() => { ending = *phase.borrow_and_update(); Ok(()) }
        };
        if io.is_err() {
            break io;
        }
    };
    run.stats.lost.fetch_add(ledger.on_the_way(), Relaxed);
    if end.is_ok() {
        tokio::join!(s.close(), r.close());
    }
    end
}
