//! The lower bound of messages: a relay of newline-framed bytes, and a client that sends to the
//! relay as `chat` sends to an XMPP server.
//!
//! A connection sends `H <index>\n` and gets `ok\n`. Every later line is `<index of the receiver>
//! <sequence> <padding>\n`. `direct`: the relay forwards the input of index i to index i^1, and
//! only looks for the last newline. `table`: the relay splits the lines, looks up the receiver of
//! each in a shared map, and queues a copy for the receiver's writer task.

use std::collections::HashMap;
use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Mutex, RwLock};

use memchr::{memchr, memrchr};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, mpsc};
use tokio::task::JoinSet;

use crate::ledger::Ledger;
use crate::options::Res;
use crate::run::{Phase, Run, work};
use crate::xmpp::{number, tcp};

type Queue = mpsc::UnboundedSender<Box<[u8]>>;

#[derive(Default)]
struct Shared {
    table: bool,
    writers: Mutex<HashMap<usize, OwnedWriteHalf>>,
    came: Notify,
    queues: RwLock<HashMap<usize, Queue>>,
}

pub(crate) async fn serve(run: &Run) -> Res<()> {
    let table = run.options.one_of("route", &["direct", "table"])? == "table";
    let listener = TcpListener::bind(run.target.addr).await.map_err(|e| e.to_string())?;
    let shared = Arc::new(Shared { table, ..Shared::default() });
    loop {
        let (socket, _) = listener.accept().await.map_err(|e| e.to_string())?;
        tokio::spawn(connection(socket, shared.clone()));
    }
}

async fn connection(socket: TcpStream, shared: Arc<Shared>) -> io::Result<()> {
    socket.set_nodelay(true)?;
    let (mut from, mut to) = socket.into_split();
    let mut buf = Vec::with_capacity(8192);
    while memchr(b'\n', &buf).is_none() {
        if from.read_buf(&mut buf).await? == 0 {
            return Ok(());
        }
    }
    let own = number(buf.get(2..).unwrap_or_default()).unwrap_or(0) as usize;
    buf.clear();
    if shared.table {
        let (queue, lines) = mpsc::unbounded_channel();
        shared.queues.write().unwrap().insert(own, queue);
        to.write_all(b"ok\n").await?;
        tokio::spawn(writer(to, lines));
        let end = by_table(&shared, from, buf).await;
        shared.queues.write().unwrap().remove(&own);
        return end;
    }
    to.write_all(b"ok\n").await?;
    shared.writers.lock().unwrap().insert(own, to);
    shared.came.notify_waiters();
    loop {
        let came = shared.came.notified();
        let writer = shared.writers.lock().unwrap().remove(&(own ^ 1));
        if let Some(writer) = writer {
            return direct(from, writer, buf).await;
        }
        came.await;
    }
}

async fn direct(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    mut buf: Vec<u8>,
) -> io::Result<()> {
    while from.read_buf(&mut buf).await? > 0 {
        if let Some(end) = memrchr(b'\n', &buf) {
            to.write_all(&buf[..=end]).await?;
            buf.drain(..=end);
        }
        buf.reserve(4096);
    }
    Ok(())
}

async fn by_table(shared: &Shared, mut from: OwnedReadHalf, mut buf: Vec<u8>) -> io::Result<()> {
    while from.read_buf(&mut buf).await? > 0 {
        let mut at = 0;
        while let Some(n) = memchr(b'\n', &buf[at..]) {
            let line = &buf[at..=at + n];
            at += n + 1;
            let dest = number(line).unwrap_or(0) as usize;
            if let Some(queue) = shared.queues.read().unwrap().get(&dest) {
                let _ = queue.send(line.into());
            }
        }
        buf.drain(..at);
        buf.reserve(4096);
    }
    Ok(())
}

async fn writer(mut to: OwnedWriteHalf, mut lines: mpsc::UnboundedReceiver<Box<[u8]>>) {
    let (mut many, mut out) = (Vec::new(), Vec::new());
    while lines.recv_many(&mut many, 64).await > 0 {
        out.clear();
        many.drain(..).for_each(|l| out.extend_from_slice(&l));
        if to.write_all(&out).await.is_err() {
            return;
        }
    }
}

pub(crate) async fn chat(run: &Arc<Run>) -> Res<()> {
    let pairs = run.options.num("pairs", 100)?;
    let size = run.options.num("size", 200)?;
    let mut set = JoinSet::new();
    for p in 0..pairs {
        let s = join(run.target.addr, 2 * p).await.map_err(|e| e.to_string())?;
        let r = join(run.target.addr, 2 * p + 1).await.map_err(|e| e.to_string())?;
        work(&mut set, run, pair(run.clone(), s, r, 2 * p + 1, size));
    }
    let mut r = run.report("chat-raw");
    r.int("pairs", pairs as u64);
    r.int("window", run.window as u64);
    r.int("size", size as u64);
    run.measure(r, set).await
}

/// A raw client connection, registered with the relay.
async fn join(addr: SocketAddr, index: usize) -> io::Result<TcpStream> {
    let mut s = tcp(addr, 2).await?;
    s.write_all(format!("H {index}\n").as_bytes()).await?;
    let mut ok = [0; 3];
    s.read_exact(&mut ok).await?;
    Ok(s)
}

async fn pair(
    run: Arc<Run>,
    mut s: TcpStream,
    mut r: TcpStream,
    to: usize,
    size: usize,
) -> io::Result<()> {
    let mut ledger = Ledger::new(run.window);
    let mut phase = run.phase.subscribe();
    let (mut out, mut inp) = (Vec::new(), Vec::with_capacity(8192));
    let mut ending = Phase::Run;
    loop {
        let now = run.stats.now_us();
        let mut at = 0;
        while let Some(n) = memchr(b'\n', &inp[at..]) {
            let line: &[u8] = &inp[at..at + n];
            at += n + 1;
            let space = memchr(b' ', line).unwrap_or(0);
            if let Some(seq) = number(&line[space + 1..]) {
                ledger.arrive(seq, now, &run.stats);
            }
        }
        inp.drain(..at);
        if ending == Phase::Run {
            for _ in 0..ledger.room(run.window) {
                let from = out.len();
                let seq = ledger.send(now);
                out.extend_from_slice(format!("{to} {seq} ").as_bytes());
                out.resize(from + size - 1, b'x');
                out.push(b'\n');
            }
            if !out.is_empty() {
                s.write_all(&out).await?;
                out.clear();
            }
        } else if ledger.on_the_way() == 0 || ending == Phase::Abort {
            run.stats.lost.fetch_add(ledger.on_the_way(), Relaxed);
            return Ok(());
        }
        inp.reserve(4096);
        tokio::select! {
            x = r.read_buf(&mut inp) => if x? == 0 { return Err(ErrorKind::UnexpectedEof.into()) },
            _ = phase.changed() => ending = *phase.borrow_and_update(),
        }
    }
}
