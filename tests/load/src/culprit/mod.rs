//! Clients that overload the server. They run on their own thread with a low priority, because such
//! clients usually run on another machine and must not take the server's CPU time.

mod connections;
mod database;
mod domains;
mod flood;
mod handshakes;
mod headers;
mod reader;
mod shared;
mod strangers;
mod stream_end;

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use rustix::process::setpriority_process;
use tokio::runtime::Builder;
use tokio::sync::{oneshot, watch};
use tokio::task::JoinSet;
use tokio::time::timeout;

use self::connections::connections;
use self::database::users;
use self::domains::senders;
use self::flood::flooders;
use self::handshakes::handshakes;
use self::headers::headers;
use self::reader::readers;
use self::shared::{Shared, Stage, Tally};
use self::strangers::strangers;
use crate::options::{Options, Res};
use crate::run::Run;

#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Kind {
    /// Clients that stop reading while others send to them.
    Reader,
    /// Clients that send as fast as they can.
    Flood,
    /// Connections: half send nothing, half open a stream and disconnect.
    Connections,
    /// A stalled database, with clients that wait for it.
    Database,
    /// A client that sends to thousands of domains.
    Pairs,
    /// Other servers that send dialback keys and never authenticate.
    Strangers,
    /// Connections with the beginning of a header, beside a client that sends long messages.
    Headers,
    /// TLS handshakes, half of them without an end.
    Handshakes,
}

impl Kind {
    pub(crate) fn parse(options: &Options) -> Res<Self> {
        let kinds = [
            "reader",
            "flood",
            "connections",
            "database",
            "pairs",
            "strangers",
            "headers",
            "handshakes",
        ];
        Ok(match options.one_of("culprit", &kinds)? {
            "reader" => Self::Reader,
            "flood" => Self::Flood,
            "connections" => Self::Connections,
            "pairs" => Self::Pairs,
            "strangers" => Self::Strangers,
            "headers" => Self::Headers,
            "handshakes" => Self::Handshakes,
            _ => Self::Database,
        })
    }

    fn clients(self) -> usize {
        match self {
            Self::Reader | Self::Flood => 4,
            Self::Connections => 5000,
            Self::Database => 30,
            Self::Pairs => 1,
            Self::Strangers => 50,
            Self::Headers => 8400,
            Self::Handshakes => 4000,
        }
    }
}

/// The thread of the clients that overload the server.
pub(crate) struct Culprits {
    stage: watch::Sender<Stage>,
    tally: Arc<Tally>,
    over: oneshot::Receiver<()>,
}

impl Culprits {
    /// Logs the clients in, with accounts from `first` on. The clients then wait for [`Self::go`].
    pub(crate) async fn ready(run: &Arc<Run>, kind: Kind, first: usize) -> Res<Self> {
        let stage = watch::Sender::new(Stage::Ready);
        let clients = run.options.num("clients", kind.clients())?;
        let tally = Arc::new(Tally { clients, ..Tally::default() });
        let shared = Shared {
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
                let (mut set, failed) = match prepare(&shared, kind).await {
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

    /// Stops the clients and returns their results.
    pub(crate) async fn stop(self) -> Res<Arc<Tally>> {
        self.stage.send_replace(Stage::Stop);
        match timeout(Duration::from_secs(60), self.over).await {
            Ok(Ok(())) => Ok(self.tally),
            _ => Err("the culprits did not end in time".into()),
        }
    }
}

async fn prepare(shared: &Shared, kind: Kind) -> Res<JoinSet<()>> {
    match kind {
        Kind::Reader => readers(shared).await,
        Kind::Flood => flooders(shared).await,
        Kind::Connections => Ok(connections(shared)),
        Kind::Database => users(shared).await,
        Kind::Pairs => senders(shared).await,
        Kind::Strangers => strangers(shared),
        Kind::Headers => headers(shared).await,
        Kind::Handshakes => handshakes(shared),
    }
}
