//! One sender and many receivers: a room, and the presence of a user with many contacts.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::meter::{Report, Stats};
use crate::options::Res;
use crate::run::{Phase, Run, sessions, work};
use crate::xmpp::{Conn, Event, attr, number, says};

/// The maximum number of stanzas in flight that are timed.
const SLOTS: usize = 4096;

pub(crate) async fn fanout(run: &Arc<Run>) -> Res<()> {
    let occupants = run.options.num("clients", 200)?;
    let body = run.options.num("body", 100)?;
    let default = format!("conference.{}", run.target.host);
    let room = format!("load{}@{}", std::process::id(), run.options.text("muc", &default));
    let mut all = sessions(run, occupants, true).await?;
    for (i, c) in all.iter_mut().enumerate() {
        match timeout(Duration::from_secs(10), join(c, &room, i)).await {
            Ok(Ok(())) => {}
            Ok(Err(e)) => return Err(format!("join {i}: {e}")),
            Err(_) => return Err(format!("join {i}: no answer")),
        }
    }
    let mut r = run.report("fanout");
    r.int("clients", occupants as u64);
    r.int("window", run.window as u64);
    let stanza = (
        format!("<message type='groupchat' to='{room}' id='"),
        format!("'><body>{}</body></message>", "x".repeat(body)),
    );
    let sender = all.remove(0);
    one_to_many(run, sender, all, stanza, true, r).await
}

async fn join(c: &mut Conn, room: &str, i: usize) -> io::Result<()> {
    let x = "<x xmlns='http://jabber.org/protocol/muc'><history maxstanzas='0'/></x>";
    c.send(format!("<presence to='{room}/n{i}'>{x}</presence>").as_bytes()).await?;
    c.until("code", "110").await?;
    if i == 0 {
        // Accept the default configuration: an instant room (XEP-0045).
        let owner = format!(
            "<iq type='set' id='room' to='{room}'>\
             <query xmlns='http://jabber.org/protocol/muc#owner'>\
             <x xmlns='jabber:x:data' type='submit'/></query></iq>"
        );
        c.send(owner.as_bytes()).await?;
        c.until("id", "room").await?;
    }
    Ok(())
}

pub(crate) async fn presence(run: &Arc<Run>) -> Res<()> {
    let contacts = run.options.num("clients", 100)?;
    let mut all = sessions(run, contacts + 1, true).await?;
    let mut sender = all.remove(0);
    // No timeout here, because thousands of subscriptions take long; `--limit` applies.
    befriend(run, &mut sender, &mut all).await.map_err(|e| format!("subscriptions: {e}"))?;
    let mut r = run.report("presence");
    r.int("clients", contacts as u64);
    r.int("window", run.window as u64);
    let stanza = ("<presence id='".into(), "'><status>at work</status></presence>".into());
    one_to_many(run, sender, all, stanza, false, r).await
}

/// Subscribes the sender and all others to each other, unless already subscribed.
async fn befriend(run: &Run, sender: &mut Conn, all: &mut [Conn]) -> io::Result<()> {
    let own = run.target.bare(run.first);
    sender.send(b"<iq type='get' id='ros'><query xmlns='jabber:iq:roster'/></iq>").await?;
    let roster = sender.until("id", "ros").await?;
    let roster = String::from_utf8_lossy(&roster).into_owned();
    let friends: Vec<&str> =
        roster.split('<').filter(|item| says(item.as_bytes(), "subscription", "both")).collect();
    for (i, c) in all.iter_mut().enumerate() {
        let jid = run.target.bare(run.first + i + 1);
        if friends.iter().any(|item| says(item.as_bytes(), "jid", &jid)) {
            continue;
        }
        c.send(format!("<presence type='subscribe' to='{own}'/>").as_bytes()).await?;
        sender.until("type", "subscribe").await?;
        let both = format!(
            "<presence type='subscribed' to='{jid}'/><presence type='subscribe' to='{jid}'/>"
        );
        sender.send(both.as_bytes()).await?;
        c.until("type", "subscribe").await?;
        c.send(format!("<presence type='subscribed' to='{own}'/>").as_bytes()).await?;
        sender.until("type", "subscribed").await?;
    }
    Ok(())
}

/// Shared by the sender and its receivers.
struct Group {
    receivers: u64,
    sent: AtomicU64,
    delivered: AtomicU64,
    times: Vec<AtomicU64>,
    progress: Notify,
}

impl Group {
    fn new(receivers: usize) -> Arc<Self> {
        Arc::new(Self {
            receivers: receivers as u64,
            sent: 0.into(),
            delivered: 0.into(),
            times: (0..SLOTS).map(|_| AtomicU64::new(0)).collect(),
            progress: Notify::new(),
        })
    }

    fn arrive(&self, m: &[u8], next: &mut u64, stats: &Stats) {
        let Some(seq) = attr(m, "id").and_then(|v| number(v.strip_prefix(b"m")?)) else { return };
        if seq < *next {
            stats.duplicated.fetch_add(1, Relaxed);
            return;
        }
        if seq > *next {
            stats.disordered.fetch_add(1, Relaxed);
        }
        *next = seq + 1;
        stats.done(self.times[seq as usize % SLOTS].load(Relaxed), stats.now_us());
        if (self.delivered.fetch_add(1, Relaxed) + 1).is_multiple_of(self.receivers) {
            self.progress.notify_one();
        }
    }
}

async fn one_to_many(
    run: &Arc<Run>,
    sender: Conn,
    receivers: Vec<Conn>,
    stanza: (String, String),
    echo: bool,
    report: Report,
) -> Res<()> {
    let group = Group::new(receivers.len() + usize::from(echo));
    let mut set = JoinSet::new();
    for c in receivers {
        work(&mut set, run, receive(run.clone(), group.clone(), c));
    }
    work(&mut set, run, send(run.clone(), group, sender, stanza, echo));
    run.measure(report, set).await
}

async fn receive(run: Arc<Run>, group: Arc<Group>, mut c: Conn) -> io::Result<()> {
    let mut phase = run.phase.subscribe();
    let mut next = 0;
    loop {
        while let Some(e) = c.framer.next() {
            if let Event::Stanza(m) = e {
                group.arrive(m, &mut next, &run.stats);
            }
        }
        tokio::select! {
            x = c.fill() => x?,
            _ = phase.changed() => {}
        }
        let ending = *phase.borrow_and_update();
        let all = group.sent.load(Relaxed) * group.receivers;
        if ending == Phase::Abort || ending == Phase::Drain && group.delivered.load(Relaxed) >= all
        {
            return Ok(());
        }
    }
}

async fn send(
    run: Arc<Run>,
    group: Arc<Group>,
    mut c: Conn,
    stanza: (String, String),
    echo: bool,
) -> io::Result<()> {
    let mut phase = run.phase.subscribe();
    let mut next = 0;
    let mut out = String::new();
    loop {
        while let Some(e) = c.framer.next() {
            if let Event::Stanza(m) = e {
                if attr(m, "type") == Some(b"error") {
                    run.stats.errors.fetch_add(1, Relaxed);
                } else if echo {
                    group.arrive(m, &mut next, &run.stats);
                }
            }
        }
        let (mut sent, ending) = (group.sent.load(Relaxed), *phase.borrow_and_update());
        let full = group.delivered.load(Relaxed) / group.receivers + run.window as u64;
        if ending == Phase::Run {
            while sent < full {
                group.times[sent as usize % SLOTS].store(run.stats.now_us(), Relaxed);
                out += &format!("{}m{sent}{}", stanza.0, stanza.1);
                sent += 1;
            }
            group.sent.store(sent, Relaxed);
            if !out.is_empty() {
                c.send(out.as_bytes()).await?;
                out.clear();
            }
        } else {
            let all = sent * group.receivers;
            let got = group.delivered.load(Relaxed);
            if ending == Phase::Abort || got >= all {
                run.stats.lost.fetch_add(all.saturating_sub(got), Relaxed);
                run.phase.send_replace(Phase::Abort);
                return Ok(());
            }
        }
        tokio::select! {
            x = c.fill() => x?,
            _ = group.progress.notified() => {}
            _ = phase.changed() => {}
        }
    }
}
