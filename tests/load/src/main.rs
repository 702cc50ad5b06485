//! Load rig for XMPP servers. See README.md for the modes and options.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a rig that cannot continue ends with a failing exit code"
)]

mod bare;
mod chat;
mod culprit;
mod group;
mod idle;
mod iq;
mod ledger;
mod login;
mod meter;
mod mix;
mod options;
mod pressure;
mod relay;
mod run;
mod wait;
mod xmpp;

use std::sync::Arc;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::runtime::Builder;
use tokio::time::timeout;

use options::{Options, Res};
use run::Run;

fn main() {
    let mut args = std::env::args().skip(1);
    let mode = args.next().unwrap_or_default();
    let done = Options::parse(args).and_then(|options| start(&mode, options));
    if let Err(e) = done {
        eprintln!("xmppload {mode}: {e}");
        std::process::exit(1);
    }
}

fn start(mode: &str, options: Options) -> Res<()> {
    raise_file_limit();
    let threads = options.num("threads", 1)?;
    let mut builder =
        if threads == 1 { Builder::new_current_thread() } else { Builder::new_multi_thread() };
    if threads > 1 {
        builder.worker_threads(threads);
    }
    let runtime = builder.enable_all().build().map_err(|e| e.to_string())?;
    let limit = options.secs("limit", 300.0)?;
    let run = Arc::new(Run::new(options)?);
    let work = async {
        match mode {
            "chat" => chat::chat(&run).await,
            "chat-raw" => relay::chat(&run).await,
            "login" => login::login(&run).await,
            "idle" => idle::idle(&run).await,
            "iq" => iq::iq(&run).await,
            "fanout" => group::fanout(&run).await,
            "presence" => group::presence(&run).await,
            "pressure" => pressure::pressure(&run).await,
            "wait" => wait::wait(&run).await,
            "relay" => relay::serve(&run).await,
            "bare" => bare::serve(&run).await,
            _ => Err("modes: chat login idle iq fanout presence pressure wait relay chat-raw bare"
                .into()),
        }
    };
    // The program ends even when a task hangs.
    let end = runtime.block_on(async {
        timeout(limit, work).await.unwrap_or_else(|_| Err(format!("stopped after {limit:?}")))
    });
    runtime.shutdown_background();
    end
}

fn raise_file_limit() {
    let maximum = getrlimit(Resource::Nofile).maximum;
    // A failure is ignored: a run that needs more files fails when it connects.
    let _ = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum });
}
