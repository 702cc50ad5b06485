//! Measures the server's memory for each idle session.

use std::sync::Arc;
use std::time::Instant;

use tokio::time::sleep;

use crate::meter::{rss_kib, snap};
use crate::options::Res;
use crate::run::{Run, close, sessions};

pub(crate) async fn idle(run: &Arc<Run>) -> Res<()> {
    let clients = run.options.num("clients", 1000)?;
    let pids = &run.options.pids;
    let before = rss_kib(pids);
    let a = snap(pids, &run.stats);
    let began = Instant::now();
    let all = sessions(run, clients, true).await?;
    let opening = began.elapsed().as_secs_f64();
    let b = snap(pids, &run.stats);
    let opened = rss_kib(pids);
    // Printed for a script that runs something while the sessions are open.
    eprintln!("opened {clients} sessions");
    sleep(run.options.secs("secs", 10.0)?).await;
    let after = rss_kib(pids);
    let c = snap(pids, &run.stats);
    let mut r = run.report("idle");
    r.int("clients", clients as u64);
    r.num("open_s", opening);
    r.window(&b, &c);
    r.num("open_us_per_session", a.cpu_until(&b) * 1e6 / clients as f64);
    r.int("rss_before_kib", before);
    r.int("rss_opened_kib", opened);
    r.int("rss_idle_kib", after);
    let per = |kib: u64| (kib as f64 - before as f64) * 1024.0 / clients as f64;
    r.num("bytes_per_session_opened", per(opened));
    r.num("bytes_per_session_idle", per(after));
    r.print();
    close(all).await;
    Ok(())
}
