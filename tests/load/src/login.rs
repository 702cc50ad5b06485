//! Workers that log in again and again.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use tokio::task::JoinSet;

use crate::options::Res;
use crate::run::{Run, close, sessions, work};
use crate::xmpp::Conn;

pub(crate) async fn login(run: &Arc<Run>) -> Res<()> {
    let clients = run.options.num("clients", 1000)?;
    let conc = run.options.num("conc", 16)?;
    // Each account logs in once, so that all keys are derived before the measured window.
    close(sessions(run, clients, false).await?).await;
    let next = Arc::new(AtomicUsize::new(0));
    let mut set = JoinSet::new();
    for _ in 0..conc {
        let (own, next) = (run.clone(), next.clone());
        work(&mut set, run, async move {
            while !own.stats.stopped() {
                let i = own.first + next.fetch_add(1, Relaxed) % clients;
                let began = own.stats.now_us();
                let c = Conn::login(&own.target, i).await?;
                own.stats.done(began, own.stats.now_us());
                // Not awaited, because some servers take long for the closing handshake.
                tokio::spawn(c.close());
            }
            Ok(())
        });
    }
    let mut r = run.report("login");
    r.text("sasl", run.options.text("sasl", "scram"));
    r.int("clients", clients as u64);
    r.int("conc", conc as u64);
    run.measure(r, set).await
}
