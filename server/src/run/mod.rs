//! Starts, runs and stops a server.

pub(crate) mod hosts;
pub(crate) mod inspect;
pub mod log;
pub(crate) mod reload;
mod signals;

use std::{
    fs::{File, TryLockError},
    io,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

use arc_swap::ArcSwap;
use event_core::{Bundle, Registry, Runtime, SessionKind, StartError, StreamError};
use thiserror::Error;

use crate::{
    accounts::{AccountStore, AccountStoreError},
    config::{Config, ConfigError, InvalidConfig, ListenKind},
    control::server::Control,
    http::{Http, metrics::Metrics},
    net::{
        limiter::{ConnectionLimits, OutgoingFiles},
        listener::Listeners,
    },
    s2s::Federation,
    storage::{Database, LOCK_FILE, StorageError, create_data_folder, create_private_file},
    stream::{Settings, Streams},
    tls::TlsError,
};
use hosts::located;
use inspect::{Findings, Inspected, Scope};
use log::{LogError, Logging};
use reload::Reload;
use signals::{Signal, Signals};

/// Why the server did not start.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ServerError {
    /// The errors in the config.
    #[error("{}", lines(.0))]
    Config(Vec<ConfigError>),
    /// What the inspection found, or a module does not start.
    #[error("{0}")]
    Refused(String),
    /// The binary is not what its list says.
    #[error(transparent)]
    Start(#[from] StartError),
    /// The log cannot be written.
    #[error(transparent)]
    Log(#[from] LogError),
    /// A certificate cannot be stored.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The data cannot be used.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// The accounts cannot be used.
    #[error(transparent)]
    Account(#[from] AccountStoreError),
    /// Another server uses the data folder.
    #[error(
        "another server uses the data folder {}; stop it, or choose another folder with --data",
        .0.display()
    )]
    Running(PathBuf),
    /// The kernel returned an error.
    #[error("{what}: {source}")]
    System {
        /// The operation that failed.
        what: String,
        /// The I/O error.
        source: io::Error,
    },
}

fn lines(errors: &[ConfigError]) -> String {
    errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("\nerror: ")
}

/// Runs a server until it is told to stop.
///
/// # Errors
///
/// The server cannot start.
pub fn run(config: Result<Config, InvalidConfig>, bundles: &[Bundle]) -> Result<(), ServerError> {
    let registry = Registry::new(bundles)?;
    let mut findings = Findings::default();
    let Some(config) = inspect::valid(config, &registry, &mut findings) else {
        return Err(ServerError::Refused(findings.refusal()));
    };
    // If the log cannot be opened, the inspection says so, with everything else.
    let logging = Logging::init(&config.log);
    let _close = logging.as_ref().ok().map(Logging::close_on_drop);
    let files = raise_file_limit();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(config.threads.get())
        .thread_name("spondee")
        .enable_all()
        .build()
        .map_err(|source| ServerError::System { what: "cannot start".into(), source })?;
    let outcome = runtime.block_on(async {
        let begun = Instant::now();
        let inspected = look(&config, &registry, findings).await?;
        serve(config, inspected, registry, &logging?, files, begun).await
    });
    runtime.shutdown_timeout(Duration::from_secs(1));
    outcome
}

/// Looks at everything before anything is changed.
async fn look(
    config: &Config,
    registry: &Registry,
    mut findings: Findings,
) -> Result<Inspected, ServerError> {
    // Otherwise each of its ports would be an error.
    if is_locked(&config.data) {
        return Err(ServerError::Running(config.data.clone()));
    }
    let scope = Scope { ports: true, modules: false };
    match inspect::inspect(config, registry, scope, &mut findings).await {
        Some(inspected) => {
            findings.log();
            Ok(inspected)
        }
        None => Err(ServerError::Refused(findings.refusal())),
    }
}

async fn serve(
    config: Config,
    inspected: Inspected,
    registry: Registry,
    logging: &Logging,
    files: usize,
    begun: Instant,
) -> Result<(), ServerError> {
    let Inspected { hosts, authorities, tls, listeners } = inspected;
    create_data_folder(&config.data)?;
    let _lock = lock(&config.data)?;
    tls.keep()?;
    // Registered before the first log line, so that an early signal does not kill the process.
    let mut signals = Signals::new()
        .map_err(|source| ServerError::System { what: "cannot receive signals".into(), source })?;
    let is_new =
        config.storage.url.is_none() && !config.data.join(crate::storage::DATABASE_FILE).exists();
    let storage = Arc::new(Database::open(&config).await?);
    let config = Arc::new(config);
    let limits = &config.limits;
    let accounts =
        AccountStore::open(storage.clone(), limits.scram_iterations, limits.password_checks)
            .await?;
    let federation = Federation::new(&config.s2s, authorities, OutgoingFiles::of(files));
    let prepare = hosts::prepare(&accounts, &federation);
    let modules = Runtime::start(registry, hosts, storage.clone(), prepare).await;
    let modules = modules.map_err(|error| ServerError::Refused(located(&error, &config)))?;
    let core = Arc::clone(modules.core());
    let streams = Arc::new(Streams::new(Arc::clone(&core), Settings::new(&config, tls)));
    federation.open(&streams);
    let connection_limits = ConnectionLimits::new(limits, files);
    let current = Arc::new(ArcSwap::new(Arc::clone(&config)));
    let reload = Arc::new(Reload {
        config: Arc::clone(&current),
        modules: Arc::clone(&modules),
        streams: Arc::clone(&streams),
        accounts: accounts.clone(),
        federation: Arc::clone(&federation),
        connection_limits: connection_limits.clone(),
        logging: logging.clone(),
        accepts: tokio::sync::Mutex::new(true),
    });
    let control = Control::open(&config.data, &current, &accounts, &core, &reload).await;
    let http = Http::new(Metrics::new(&core, &streams, &federation, logging));
    let listeners = Listeners::accept(listeners, &streams, &http, &connection_limits);
    core.announce_started().await;
    let names: Vec<&str> = config.domains().collect();
    tracing::info!(
        version = %event_core::VERSION,
        hosts = %names.join(","),
        after_ms = begun.elapsed().as_millis() as u64,
        "started"
    );
    if is_new {
        welcome(&config, &listeners);
    }
    wait(&mut signals, &reload).await;
    drop(listeners);
    let limit = Duration::from_secs(current.load().limits.stop_seconds);
    let stop = async {
        reload.close(limit).await;
        stop(&modules, &streams, &federation, limit).await;
    };
    tokio::select! {
        () = stop => {}
        () = signals.stop() => tracing::warn!("second signal to stop: the server stops at once"),
    }
    if let Some(control) = control {
        control.close().await;
    }
    drop((accounts, streams, reload));
    drop((core, modules));
    if let Some(storage) = Arc::into_inner(storage) {
        storage.close().await;
    }
    tracing::info!("stopped");
    Ok(())
}

/// Waits until a signal stops the server. Other signals reload the config.
async fn wait(signals: &mut Signals, reload: &Arc<Reload>) {
    loop {
        match signals.next().await {
            Signal::Stop => return,
            Signal::Reload => {
                let reload = Arc::clone(reload);
                // The result is logged.
                tokio::spawn(async move { reload.run().await.is_ok() });
            }
        }
    }
}

/// Stops the parts of the server in the order that loses the fewest stanzas. Clients stay connected
/// until their stanzas for other servers are confirmed or returned.
async fn stop(modules: &Runtime, streams: &Streams, federation: &Federation, limit: Duration) {
    tracing::info!(streams = streams.count(), "stopping");
    let begun = Instant::now();
    modules.core().announce_stopping(limit).await;
    let error = StreamError::system_shutdown().text("the server is stopping");
    let rest = || limit.saturating_sub(begun.elapsed()).max(Duration::from_secs(1));
    federation.settle(rest() / 2).await;
    streams.close_kind(SessionKind::S2sIn, &error, rest() / 2).await;
    federation.close(rest() / 2).await;
    streams.close_all(error, rest()).await;
    modules.stop().await;
}

/// Locks a data folder, so that only one server uses it.
fn lock(data: &Path) -> Result<File, ServerError> {
    let path = data.join(LOCK_FILE);
    let what = || format!("cannot use {}", path.display());
    let file = create_private_file(&path)
        .map_err(|source| ServerError::System { what: what(), source })?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(ServerError::Running(data.to_owned())),
        Err(TryLockError::Error(source)) => Err(ServerError::System { what: what(), source }),
    }
}

/// Whether a server uses a data folder.
fn is_locked(data: &Path) -> bool {
    let file = File::open(data.join(LOCK_FILE));
    file.is_ok_and(|file| matches!(file.try_lock(), Err(TryLockError::WouldBlock)))
}

/// Raises the limit of open files, because each connection needs one and the usual limit is 1024.
/// Returns the new limit.
fn raise_file_limit() -> usize {
    use rustix::process::{Resource, getrlimit, setrlimit};
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    if let Err(error) = setrlimit(Resource::Nofile, limit) {
        tracing::debug!(%error, "the limit of open files stays as it is");
    }
    let files = getrlimit(Resource::Nofile).current;
    files.map_or(usize::MAX, |files| usize::try_from(files).unwrap_or(usize::MAX))
}

/// Prints the next steps after the first start.
fn welcome(config: &Config, listeners: &Listeners) {
    let host = config.host.keys().next().map_or("localhost", String::as_str);
    let port = listeners.port(ListenKind::C2s).or(listeners.port(ListenKind::C2sTls));
    let mut options = String::new();
    if let Some(file) = &config.file {
        options = format!(" --config {}", file.display());
    } else if config.data != Path::new("data") {
        options = format!(" --data {}", config.data.display());
    }
    eprintln!("Make an account:  spondee user add you@{host}{options}");
    // Without a port, a warning has said so.
    if let Some(port) = port {
        eprintln!("Connect with any XMPP client as you@{host}, server {host}, port {port}.");
    }
    eprintln!("List the handlers: spondee hooks{options}. Stop the server with Ctrl-C.");
}
