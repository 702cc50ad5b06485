//! Measures the cold start: the time until the server accepts a connection and answers a stream
//! header.

use std::io::{self, ErrorKind};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::{sleep, timeout};

use crate::meter::rss_kib;
use crate::options::Res;
use crate::run::Run;
use crate::xmpp::{has, header, tcp};

/// Measures the time from the start of this program or, with `--start`, from the start of the
/// server, which this program then stops.
pub(crate) async fn wait(run: &Arc<Run>) -> Res<()> {
    let mut pids = run.options.pids.clone();
    let began = Instant::now();
    let mut server = None;
    match run.options.text("start", "") {
        "" => {}
        command => {
            let mut shell = Command::new("sh");
            shell.args(["-c", &format!("exec {command}")]);
            shell.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
            let child = shell.spawn().map_err(|e| format!("{command}: {e}"))?;
            pids.push(child.id());
            server = Some(child);
        }
    }
    let answered = answered(run, began).await;
    let memory = rss_kib(&pids);
    if let Some(mut child) = server {
        let _ = kill_process(Pid::from_child(&child), Signal::TERM);
        child.wait().map_err(|e| e.to_string())?;
    }
    let (connected, answered) = answered?;
    let mut r = run.report("wait");
    let ms = |d: Duration| d.as_secs_f64() * 1e3;
    r.num("connect_ms", ms(connected));
    r.num("features_ms", ms(answered));
    r.int("rss_kib", memory);
    r.print();
    Ok(())
}

async fn answered(run: &Run, began: Instant) -> Res<(Duration, Duration)> {
    let mut connected = began.elapsed();
    let mut is_connected = false;
    loop {
        let attempt = async {
            let mut s = tcp(run.target.addr, 2).await?;
            if !is_connected {
                (connected, is_connected) = (began.elapsed(), true);
            }
            s.write_all(header(&run.target.host).as_bytes()).await?;
            let mut got = Vec::new();
            while !has(&got, "</stream:features>") {
                if s.read_buf(&mut got).await? == 0 {
                    return Err(ErrorKind::UnexpectedEof.into());
                }
            }
            Ok::<_, io::Error>(())
        };
        if let Ok(Ok(())) = timeout(Duration::from_secs(2), attempt).await {
            return Ok((connected, began.elapsed()));
        }
        if began.elapsed() > Duration::from_secs(60) {
            return Err("the server did not answer in 60 s".into());
        }
        sleep(Duration::from_millis(1)).await;
    }
}
