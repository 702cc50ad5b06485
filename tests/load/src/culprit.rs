//! Who overloads the server. The clients have a thread of their own, which gives way to all others:
//! what they take of the processors is not the server's, and stands on another machine as a rule.

use std::collections::BTreeMap;
use std::io::{self, ErrorKind};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::setpriority_process;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::runtime::Builder;
use tokio::sync::{oneshot, watch};
use tokio::task::JoinSet;
use tokio::time::{interval_at, sleep_until, timeout};

use crate::Res;
use crate::meter::Report;
use crate::options::Options;
use crate::run::{Run, sessions_from};
use crate::xmpp::{Conn, Event, Framer, attr, condition, header, says, tcp};

/// What is sent to a client that does not read before it reads again: more than the system and the
/// server keep for it.
const BEHIND: usize = 6 << 20;

/// Who sends to one such client, and how much how often: no more than the limits allow.
const SENDERS: usize = 12;
const CHUNK: usize = 64 * 1024;
const EVERY: Duration = Duration::from_millis(300);

/// The size of what is sent to them.
const BODY: usize = 4096;

/// The last octet of the address that connections come from.
const FROM: u8 = 200;

/// Connections that are being opened at a time.
const OPENING: usize = 64;

/// Connections kept open, as far as the server allows.
const KEPT: usize = 8000;

#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Kind {
    /// Clients that stop reading while others send to them.
    Reader,
    /// Clients that send as fast as they can.
    Flood,
    /// Connections: half say nothing, half open a stream and leave.
    Connections,
    /// None of the clients, but what they wait for.
    Database,
}

impl Kind {
    pub(crate) fn parse(options: &Options) -> Res<Self> {
        let kinds = ["reader", "flood", "connections", "database"];
        Ok(match options.one_of("culprit", &kinds)? {
            "reader" => Self::Reader,
            "flood" => Self::Flood,
            "connections" => Self::Connections,
            _ => Self::Database,
        })
    }

    fn clients(self) -> usize {
        match self {
            Self::Reader | Self::Flood => 4,
            Self::Connections => 5000,
            Self::Database => 30,
        }
    }
}

#[derive(Clone, Copy, PartialEq, PartialOrd)]
enum Stage {
    Ready,
    Go,
    Stop,
}

/// What became of the culprits, and of those who had to do with them.
#[derive(Default)]
pub(crate) struct Tally {
    clients: usize,
    /// How their streams ended.
    ends: Mutex<BTreeMap<String, u64>>,
    /// Messages that got through, connections that were accepted, work that was done.
    done: AtomicU64,
    refused: AtomicU64,
    /// What was taken and did not arrive.
    lost: AtomicU64,
    /// Streams of others that ended.
    harmed: AtomicU64,
}

impl Tally {
    fn end(&self, how: &str) {
        *self.ends.lock().expect("no panics").entry(how.into()).or_default() += 1;
    }

    pub(crate) fn report(&self, r: &mut Report) {
        r.int("clients", self.clients as u64);
        let ends = self.ends.lock().expect("no panics");
        let ends: Vec<String> = ends.iter().map(|(how, n)| format!("{how} {n}")).collect();
        r.text("ends", &ends.join(", "));
        r.int("done", self.done.load(Relaxed));
        r.int("refused", self.refused.load(Relaxed));
        r.int("taken_and_lost", self.lost.load(Relaxed));
        r.int("harmed", self.harmed.load(Relaxed));
    }
}

#[derive(Clone)]
struct Scene {
    run: Arc<Run>,
    stage: watch::Receiver<Stage>,
    tally: Arc<Tally>,
    clients: usize,
    /// The first account that is free.
    first: usize,
}

impl Scene {
    async fn until(&self, stage: Stage) {
        let _ = self.stage.clone().wait_for(|s| *s >= stage).await;
    }

    fn is_over(&self) -> bool {
        *self.stage.borrow() == Stage::Stop
    }

    /// Works from the beginning of the pressure to its end; none when it was cut short.
    async fn act<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        self.until(Stage::Go).await;
        tokio::select! {
            () = self.until(Stage::Stop) => None,
            done = work => Some(done),
        }
    }

    /// Notes when the stream of somebody ends who did nothing wrong.
    async fn innocent<T>(&self, work: impl Future<Output = io::Result<T>>) {
        if let Some(Err(e)) = self.act(work).await {
            self.harm(&e);
        }
    }

    fn harm(&self, e: &io::Error) {
        if self.tally.harmed.fetch_add(1, Relaxed) == 0 {
            eprintln!("harmed: {e}");
        }
    }
}

/// The thread of the culprits.
pub(crate) struct Culprits {
    stage: watch::Sender<Stage>,
    tally: Arc<Tally>,
    over: oneshot::Receiver<()>,
}

impl Culprits {
    /// Logs them in, the accounts beginning with `first`; they wait to be told to go.
    pub(crate) async fn ready(run: &Arc<Run>, kind: Kind, first: usize) -> Res<Self> {
        let stage = watch::Sender::new(Stage::Ready);
        let clients = run.options.num("clients", kind.clients())?;
        let tally = Arc::new(Tally { clients, ..Tally::default() });
        let scene = Scene {
            run: run.clone(),
            stage: stage.subscribe(),
            tally: tally.clone(),
            clients,
            first,
        };
        let runtime =
            Builder::new_current_thread().enable_all().build().map_err(|e| e.to_string())?;
        let (tell, ready) = oneshot::channel();
        let (end, over) = oneshot::channel();
        thread::spawn(move || {
            let _ = setpriority_process(None, 5);
            runtime.block_on(async {
                let (mut set, failed) = match prepare(&scene, kind).await {
                    Ok(set) => (set, None),
                    Err(e) => (JoinSet::new(), Some(e)),
                };
                let _ = tell.send(failed);
                while set.join_next().await.is_some() {}
            });
            let _ = end.send(());
        });
        match ready.await {
            Ok(None) => Ok(Self { stage, tally, over }),
            Ok(Some(e)) => Err(e),
            Err(e) => Err(e.to_string()),
        }
    }

    pub(crate) fn go(&self) {
        self.stage.send_replace(Stage::Go);
    }

    /// Ends them, and tells what became of them.
    pub(crate) async fn stop(self) -> Res<Arc<Tally>> {
        self.stage.send_replace(Stage::Stop);
        match timeout(Duration::from_secs(60), self.over).await {
            Ok(Ok(())) => Ok(self.tally),
            _ => Err("the culprits do not come to an end".into()),
        }
    }
}

async fn prepare(scene: &Scene, kind: Kind) -> Res<JoinSet<()>> {
    match kind {
        Kind::Reader => readers(scene).await,
        Kind::Flood => flooders(scene).await,
        Kind::Connections => Ok(connections(scene)),
        Kind::Database => users(scene).await,
    }
}

/// A client that does not read.
#[derive(Default)]
struct Behind {
    /// Empty while nothing shall be sent.
    jid: watch::Sender<String>,
    /// The bytes that the server has taken for it since it has logged in.
    sent: watch::Sender<usize>,
    is_over: watch::Sender<bool>,
}

async fn readers(scene: &Scene) -> Res<JoinSet<()>> {
    let mut set = JoinSet::new();
    let first = scene.first + scene.clients;
    let all = scene.clients * SENDERS;
    let mut senders = sessions_from(&scene.run, first, all, false).await?;
    let began = Instant::now();
    for reader in 0..scene.clients {
        let behind = Arc::new(Behind::default());
        for (i, c) in senders.drain(..SENDERS).enumerate() {
            // Who sends does not know of the others.
            let first = began + EVERY * (reader * SENDERS + i) as u32 / all as u32;
            let (scene, behind) = (scene.clone(), behind.clone());
            set.spawn(async move {
                let mut over = behind.is_over.subscribe();
                tokio::select! {
                    _ = over.wait_for(|is_over| *is_over) => {}
                    Err(e) = send_to(&scene, &behind, c, first) => scene.harm(&e),
                }
            });
        }
        let scene = scene.clone();
        set.spawn(async move {
            scene.until(Stage::Go).await;
            let account = scene.first + reader;
            while !scene.is_over() && fall_behind(&scene, &behind, account).await.is_ok() {}
            behind.is_over.send_replace(true);
        });
    }
    Ok(set)
}

async fn send_to(scene: &Scene, behind: &Behind, mut c: Conn, first: Instant) -> io::Result<()> {
    let body = "x".repeat(BODY);
    let ping = format!(
        "<iq type='get' id='taken' to='{}'><ping xmlns='urn:xmpp:ping'/></iq>",
        scene.run.target.host
    );
    let mut tick = interval_at(first.into(), EVERY);
    loop {
        tick.tick().await;
        let to = behind.jid.borrow().clone();
        if !to.is_empty() {
            // Of what nobody takes, a headline is what nobody keeps.
            let m = format!("<message type='headline' to='{to}'><body>{body}</body></message>");
            c.send((m.repeat(CHUNK / BODY) + &ping).as_bytes()).await?;
            c.until("id", "taken").await?;
            behind.sent.send_modify(|sent| *sent += CHUNK);
        }
    }
}

/// One session of a client that does not read until it is far behind, and then how it ended.
async fn fall_behind(scene: &Scene, behind: &Behind, account: usize) -> io::Result<()> {
    let mut c = Conn::login(&scene.run.target, account).await?;
    c.go_online(&scene.run.target).await?;
    behind.sent.send_replace(0);
    behind.jid.send_replace(c.jid.clone());
    let _ = behind.sent.subscribe().wait_for(|sent| *sent > BEHIND).await;
    behind.jid.send_replace(String::new());
    let (mut framer, mut reading, _writing) = c.split();
    // Nothing more in so much time: it has caught up.
    let end = timeout(Duration::from_secs(3), stream_end(&mut framer, &mut reading, |_| ())).await;
    scene.tally.end(end.as_deref().unwrap_or("kept"));
    Ok(())
}

/// Reads until the stream ends, and tells how it did: the condition of the stream error.
async fn stream_end(
    framer: &mut Framer,
    reading: &mut (impl AsyncReadExt + Unpin),
    mut on_stanza: impl FnMut(&[u8]),
) -> String {
    loop {
        while let Some(event) = framer.next() {
            match event {
                Event::Stanza(s) => match condition(s) {
                    Some(condition) => return condition,
                    None => on_stanza(s),
                },
                Event::Close => return "closed".into(),
                Event::Open => {}
            }
        }
        match reading.read_buf(framer.space()).await {
            Ok(1..) => {}
            Ok(0) => return "cut off".into(),
            Err(e) => return e.kind().to_string(),
        }
    }
}

async fn flooders(scene: &Scene) -> Res<JoinSet<()>> {
    let mut set = JoinSet::new();
    let flooders = sessions_from(&scene.run, scene.first, scene.clients, true).await?;
    let first = scene.first + scene.clients;
    let partners = sessions_from(&scene.run, first, scene.clients, true).await?;
    for (i, (flooder, partner)) in flooders.into_iter().zip(partners).enumerate() {
        // Every other one floods a partner, the others addresses that nobody has.
        let to = if i % 2 == 0 {
            partner.jid.clone()
        } else {
            format!("nobody@{}", scene.run.target.host)
        };
        let own = scene.clone();
        set.spawn(async move {
            let (mut framer, mut reading, _writing) = partner.split();
            let read = stream_end(&mut framer, &mut reading, |_| {
                own.tally.done.fetch_add(1, Relaxed);
            });
            own.innocent(async { Err::<(), _>(io::Error::other(read.await)) }).await;
        });
        let own = scene.clone();
        set.spawn(async move {
            let flood = flood(flooder, &to, || {
                own.tally.done.fetch_add(1, Relaxed);
            });
            if let Some(how) = own.act(flood).await {
                own.tally.end(&how);
            }
        });
    }
    Ok(set)
}

/// Sends without a pause; what comes back is read.
async fn flood(c: Conn, to: &str, mut on_error: impl FnMut()) -> String {
    let (mut framer, mut reading, mut writing) = c.split();
    let body = "x".repeat(100);
    let many: String = (0..64)
        .map(|n| {
            format!(
                "<message type='chat' to='{}'><body>{body}</body></message>",
                to.replace("nobody", &format!("nobody{n}"))
            )
        })
        .collect();
    let write = async {
        while writing.write_all(many.as_bytes()).await.is_ok() {}
        // How it ended is what is read.
        std::future::pending::<()>().await;
    };
    let read = stream_end(&mut framer, &mut reading, |s| {
        if attr(s, "type") == Some(b"error") {
            on_error();
        }
    });
    tokio::select! {
        () = write => String::new(),
        how = read => how,
    }
}

/// So many connections each second.
fn connections(scene: &Scene) -> JoinSet<()> {
    let mut set = JoinSet::new();
    let kept = Arc::new(Mutex::new(Vec::new()));
    let begun = Arc::new(AtomicU64::new(0));
    for _ in 0..OPENING {
        let (scene, kept, begun) = (scene.clone(), kept.clone(), begun.clone());
        set.spawn(async move {
            let all = async {
                let start = Instant::now();
                loop {
                    let n = begun.fetch_add(1, Relaxed);
                    let at = start + Duration::from_secs(1) * n as u32 / scene.clients as u32;
                    sleep_until(at.into()).await;
                    match timeout(Duration::from_secs(5), visit(&scene, n)).await {
                        Ok(Ok(Some(quiet))) => {
                            let mut kept = kept.lock().expect("no panics");
                            if kept.len() < KEPT {
                                kept.push(quiet);
                            }
                        }
                        Ok(Ok(None)) => {}
                        Ok(Err(e)) => scene.tally.end(&e.to_string()),
                        Err(_) => scene.tally.end("no answer in 5 s"),
                    }
                }
            };
            scene.act::<()>(all).await;
        });
    }
    let scene = scene.clone();
    set.spawn(async move {
        scene.until(Stage::Stop).await;
        // Who said nothing may have been refused too.
        let kept = std::mem::take(&mut *kept.lock().expect("no panics"));
        for c in kept {
            match peek(&c) {
                Some(how) => scene.tally.end(&how),
                None => _ = scene.tally.done.fetch_add(1, Relaxed),
            }
        }
    });
    set
}

/// A connection: it is given back to be kept, or the stream was opened and left.
async fn visit(scene: &Scene, n: u64) -> io::Result<Option<TcpStream>> {
    let target = &scene.run.target;
    let mut c = tcp(target.addr, FROM).await?;
    // Or no ports would be left soon.
    c.set_zero_linger()?;
    if n.is_multiple_of(2) {
        return Ok(Some(c));
    }
    let mut framer = Framer::default();
    // A refusal may have come before.
    let _ = c.write_all(header(&target.host).as_bytes()).await;
    loop {
        while let Some(event) = framer.next() {
            if let Event::Stanza(s) = event {
                let refused = condition(s);
                if refused.is_none() {
                    scene.tally.done.fetch_add(1, Relaxed);
                }
                return refused.map_or(Ok(None), |how| Err(io::Error::other(how)));
            }
        }
        if c.read_buf(framer.space()).await? == 0 {
            return Err(io::Error::other("closed"));
        }
    }
}

/// Whether and how the server has closed a connection on which nothing was said.
fn peek(c: &TcpStream) -> Option<String> {
    let mut framer = Framer::default();
    loop {
        match c.try_read_buf(framer.space()) {
            Ok(0) => return Some("closed".into()),
            Err(e) if e.kind() == ErrorKind::WouldBlock => return None,
            Err(e) => return Some(e.kind().to_string()),
            Ok(_) => {
                while let Some(event) = framer.next() {
                    if let Event::Stanza(s) = event
                        && let Some(how) = condition(s)
                    {
                        return Some(how);
                    }
                }
            }
        }
    }
}

/// Clients whose work is to be stored.
async fn users(scene: &Scene) -> Res<JoinSet<()>> {
    let mut set = JoinSet::new();
    let all = sessions_from(&scene.run, scene.first, scene.clients, false).await?;
    for (i, mut c) in all.into_iter().enumerate() {
        let scene = scene.clone();
        // Accounts that nobody uses otherwise.
        let other = scene.first + scene.clients + i;
        set.spawn(async move {
            match i % 3 {
                0 => offline(&scene, c, other).await,
                1 => {
                    let work = async {
                        loop {
                            roster(&scene, &mut c).await?;
                        }
                    };
                    scene.innocent::<()>(work).await;
                }
                _ => {
                    let work = async {
                        loop {
                            login(&scene, other).await;
                        }
                    };
                    scene.act::<()>(work).await;
                }
            }
        });
    }
    Ok(set)
}

impl Scene {
    fn counted(&self, answer: &[u8]) {
        let is_error = attr(answer, "type") == Some(b"error");
        let counter = if is_error { &self.tally.refused } else { &self.tally.done };
        counter.fetch_add(1, Relaxed);
    }
}

async fn roster(scene: &Scene, c: &mut Conn) -> io::Result<()> {
    c.send(
        b"<iq type='set' id='set'><query xmlns='jabber:iq:roster'>\
          <item jid='friend@localhost' name='Friend'/></query></iq>",
    )
    .await?;
    scene.counted(&c.until("id", "set").await?);
    Ok(())
}

async fn login(scene: &Scene, account: usize) {
    match Conn::login(&scene.run.target, account).await {
        Ok(c) => {
            scene.tally.done.fetch_add(1, Relaxed);
            c.close().await;
        }
        Err(_) => _ = scene.tally.refused.fetch_add(1, Relaxed),
    }
}

/// Messages to somebody who is not there; in the end they come and look.
async fn offline(scene: &Scene, mut c: Conn, other: usize) {
    let target = &scene.run.target;
    let to = target.bare(other);
    let (sent, bounced) = (AtomicU64::new(0), AtomicU64::new(0));
    let work = async {
        scene.until(Stage::Go).await;
        while !scene.is_over() {
            let n = sent.fetch_add(1, Relaxed);
            let m = format!(
                "<message type='chat' id='{n}' to='{to}'><body>{n}</body></message>\
                 <iq type='get' id='behind{n}' to='{}'><ping xmlns='urn:xmpp:ping'/></iq>",
                target.host
            );
            c.send(m.as_bytes()).await?;
            loop {
                let s = c.stanza().await?;
                if says(&s, "id", &format!("behind{n}")) {
                    break;
                }
                if s.starts_with(b"<message") && attr(&s, "type") == Some(b"error") {
                    bounced.fetch_add(1, Relaxed);
                }
            }
        }
        Ok::<_, io::Error>(())
    };
    if let Err(e) = work.await {
        return scene.harm(&e);
    }
    let (sent, bounced) = (sent.into_inner(), bounced.into_inner());
    let mut found = 0;
    let look = async {
        let mut c = Conn::login(target, other).await?;
        c.send(b"<presence/>").await?;
        while found < sent - bounced {
            if c.stanza().await?.starts_with(b"<message") {
                found += 1;
            }
        }
        Ok::<_, io::Error>(())
    };
    let _ = timeout(Duration::from_secs(10), look).await;
    scene.tally.done.fetch_add(found, Relaxed);
    scene.tally.refused.fetch_add(bounced, Relaxed);
    scene.tally.lost.fetch_add(sent - bounced - found, Relaxed);
}
