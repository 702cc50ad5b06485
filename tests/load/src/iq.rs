//! Queries to the server.

use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use tokio::task::JoinSet;

use crate::ledger::Ledger;
use crate::options::Res;
use crate::run::{Phase, Run, sessions, work};
use crate::xmpp::{Conn, Event, attr, number};

pub(crate) async fn iq(run: &Arc<Run>) -> Res<()> {
    let clients = run.options.num("clients", 100)?;
    let kind = run.options.one_of("type", &["ping", "version", "disco", "roster"])?;
    let query = match kind {
        "ping" => "<ping xmlns='urn:xmpp:ping'/>",
        "version" => "<query xmlns='jabber:iq:version'/>",
        "disco" => "<query xmlns='http://jabber.org/protocol/disco#info'/>",
        _ => "<query xmlns='jabber:iq:roster'/>",
    };
    // A roster request has no `to`, because it goes to the client's own account.
    let to = if kind == "roster" { "" } else { &format!(" to='{}'", run.target.host) };
    let mut set = JoinSet::new();
    for c in sessions(run, clients, true).await? {
        work(&mut set, run, queries(run.clone(), c, format!("<iq type='get'{to} id='"), query));
    }
    let mut r = run.report("iq");
    r.text("type", kind);
    r.int("clients", clients as u64);
    r.int("window", run.window as u64);
    run.measure(r, set).await
}

async fn queries(run: Arc<Run>, mut c: Conn, head: String, query: &'static str) -> io::Result<()> {
    let mut ledger = Ledger::new(run.window);
    let mut phase = run.phase.subscribe();
    let mut out = Vec::new();
    let mut ending = Phase::Run;
    loop {
        let now = run.stats.now_us();
        while let Some(e) = c.framer.next() {
            if let Event::Stanza(m) = e
                && m.starts_with(b"<iq")
                && let Some(seq) = attr(m, "id").and_then(number)
            {
                if attr(m, "type") != Some(b"result") {
                    run.stats.errors.fetch_add(1, Relaxed);
                }
                ledger.arrive(seq, now, &run.stats);
            }
        }
        if ending == Phase::Run {
            for _ in 0..ledger.room(run.window) {
                let seq = ledger.send(now);
                out.extend_from_slice(head.as_bytes());
                out.extend_from_slice(format!("{seq}'>{query}</iq>").as_bytes());
            }
            if !out.is_empty() {
                c.send(&out).await?;
                out.clear();
            }
        } else if ledger.on_the_way() == 0 || ending == Phase::Abort {
            run.stats.lost.fetch_add(ledger.on_the_way(), Relaxed);
            c.close().await;
            return Ok(());
        }
        tokio::select! {
            x = c.fill() => x?,
            _ = phase.changed() => ending = *phase.borrow_and_update(),
        }
    }
}
