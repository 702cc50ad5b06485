//! Reads the config again while the server runs. Applies what can change at once, and reports what
//! needs a restart.

use std::{path::Path, sync::Arc, time::Duration};

use arc_swap::ArcSwap;
use event_core::{HostConfig, Reloaded, Runtime, events::ConfigReloaded, host_gone};
use serde::{Deserialize, Serialize};
use thiserror::Error;
use tokio::sync::Mutex;

use super::{
    hosts::{located, prepare},
    inspect::{self, Findings},
    log::{LogError, Logging},
};
use crate::{
    accounts::AccountStore,
    config::{Config, InvalidConfig, Listen, S2s},
    net::limiter::ConnectionLimits,
    s2s::{Federation, certificate::Authorities},
    stream::{Settings, Streams},
    tls::Tls,
};

/// The time that a reload waits for the end of the modules it removes.
const ENDING: Duration = Duration::from_secs(15);

/// Why a reload failed. Then nothing has changed.
#[derive(Debug, Error)]
pub(crate) enum ReloadError {
    /// The errors in the file, and in the files that it names; or a module does not start.
    #[error("{0}")]
    Refused(String),
    /// The log file cannot be used.
    #[error(transparent)]
    Log(#[from] LogError),
    /// The server is stopping.
    #[error("the server is stopping")]
    Stopping,
}

/// The result of a reload, in lines of text.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Report {
    /// The changes that are applied.
    pub(crate) applied: Vec<String>,
    /// The changes that need a restart.
    pub(crate) restart: Vec<String>,
    /// Settings that have no effect.
    pub(crate) warnings: Vec<String>,
}

/// What a reload read.
struct Looked {
    config: Config,
    hosts: Vec<HostConfig>,
    authorities: Authorities,
    tls: Tls,
    warnings: Vec<String>,
}

/// The parts of the server that a reload changes.
pub(crate) struct Reload {
    pub(crate) config: Arc<ArcSwap<Config>>,
    pub(crate) modules: Arc<Runtime>,
    pub(crate) streams: Arc<Streams>,
    pub(crate) accounts: AccountStore,
    pub(crate) federation: Arc<Federation>,
    pub(crate) connection_limits: ConnectionLimits,
    pub(crate) logging: Logging,
    /// Locked while a reload runs; false when reloads are no longer accepted.
    pub(crate) accepts: Mutex<bool>,
}

impl Reload {
    /// Reads the config again and applies it.
    ///
    /// # Errors
    ///
    /// The config has errors, or a module does not start with it. Then the current config stays in
    /// use.
    pub(crate) async fn run(&self) -> Result<Report, ReloadError> {
        let accepts = self.accepts.lock().await;
        if !*accepts {
            return Err(ReloadError::Stopping);
        }
        let outcome = self.apply().await;
        match &outcome {
            Ok(report) => {
                for line in &report.applied {
                    tracing::info!("reload: {line}");
                }
                for line in &report.restart {
                    tracing::warn!("reload: {line}: needs a restart");
                }
            }
            Err(error) => {
                let error = error.to_string().replace("\n", "; ");
                tracing::error!(error, "the config was not reloaded; the old config stays in use");
            }
        }
        outcome
    }

    /// Waits until no reload runs, and accepts no more.
    pub(crate) async fn close(&self, limit: Duration) {
        match tokio::time::timeout(limit, self.accepts.lock()).await {
            Ok(mut accepts) => *accepts = false,
            Err(_) => tracing::warn!("a reload did not end in time"),
        }
    }

    /// Looks at a config as the start does, except for ports and storage, which do not change.
    async fn look(&self, config: Result<Config, InvalidConfig>) -> Result<Looked, ReloadError> {
        let registry = self.modules.registry();
        let mut findings = Findings::default();
        if let Some(config) = inspect::valid(config, registry, &mut findings) {
            let mut read = Findings::default();
            let authorities = inspect::trust(&config, &mut read).await;
            let (hosts, tls) =
                inspect::files(&config, registry, authorities.as_ref(), &mut findings);
            findings.append(read);
            if let (Some(tls), Some(authorities)) = (tls, authorities)
                && !findings.is_refused
            {
                findings.log();
                let warnings = findings.warnings();
                return Ok(Looked { config, hosts, authorities, tls, warnings });
            }
        }
        Err(ReloadError::Refused(findings.refusal()))
    }

    async fn apply(&self) -> Result<Report, ReloadError> {
        // The file is always reopened, because another program may have moved it.
        if let Err(error) = self.logging.reopen() {
            tracing::error!(%error, "the log file was not reopened");
        }
        let old = self.config.load_full();
        let config = Config::load(old.file.as_deref());
        let mut restart = Vec::new();
        let config = config.map(|config| running(&old, config, &mut restart));
        let Looked { config, hosts, authorities, tls, warnings } = self.look(config).await?;
        let mut report = Report { restart, warnings, ..Report::default() };
        let log = self.logging.prepare(&config.log)?;
        let prepare = prepare(&self.accounts, &self.federation);
        let reloaded = self.modules.reload(hosts, prepare).await;
        let reloaded = reloaded.map_err(|error| ReloadError::Refused(located(&error, &config)))?;
        // From here on, nothing fails.
        report.applied = changes(&old, &config, &reloaded);
        for host in config.domains() {
            let same = tls.certificate(host).cert == self.streams.tls().certificate(host).cert;
            if !same && old.domains().any(|other| other == host) {
                report.applied.push(format!("host {host}: certificate changed"));
            }
        }
        if self.federation.trust().replace(authorities) {
            report
                .applied
                .push("s2s: authorities, pins or crls changed, for new streams".to_owned());
        }
        if let Err(error) = tls.keep() {
            tracing::error!(%error, "the new self-signed certificate was not stored");
        }
        self.streams.configure(Settings::new(&config, tls));
        for host in &reloaded.removed {
            self.streams.close_host(host, &host_gone());
        }
        self.connection_limits.set(&config.limits);
        self.logging.apply(log);
        let event = ConfigReloaded {
            filename: config.file.clone(),
            format: "toml",
            config: config.to_table(),
        };
        tracing::info!(file = %shown(config.file.as_deref()), "config reloaded");
        self.config.store(Arc::new(config));
        self.modules.core().announce_reload(event).await;
        if !reloaded.ended(ENDING).await {
            let line = "the removed modules stop when their last handlers have ended";
            report.applied.push(line.to_owned());
        }
        Ok(report)
    }
}

fn shown(file: Option<&Path>) -> String {
    file.map_or_else(|| "(defaults)".to_owned(), |file| file.display().to_string())
}

/// The new config with the old values of all keys that need a restart; `restart` gets the changes of
/// those keys.
fn running(old: &Config, mut new: Config, restart: &mut Vec<String>) -> Config {
    let mut keep = |is_same: bool, what: &str| {
        if !is_same {
            restart.push(format!("{what} changed"));
        }
    };
    if old.data_is_given {
        new.data.clone_from(&old.data);
    }
    new.data_is_given = old.data_is_given;
    keep(new.data == old.data, "data");
    new.data.clone_from(&old.data);
    let addresses = |config: &Config| {
        let listen = config.listen.iter();
        let parts = |listen: &Listen| (listen.kind, listen.address, listen.names.clone());
        listen.map(parts).collect::<Vec<_>>()
    };
    keep(addresses(&new) == addresses(old), "listen");
    new.listen.clone_from(&old.listen);
    keep(new.storage == old.storage, "storage");
    new.storage.clone_from(&old.storage);
    keep(new.threads == old.threads, "threads");
    new.threads = old.threads;
    let S2s { authorities, pins, crls, .. } = new.s2s.clone();
    let s2s = S2s { authorities, pins, crls, ..old.s2s.clone() };
    keep(new.s2s == s2s, "s2s");
    new.s2s = s2s;
    keep(new.log.format == old.log.format, "log.format");
    new.log.format = old.log.format;
    keep(new.limits.password_checks == old.limits.password_checks, "limits.password_checks");
    new.limits.password_checks = old.limits.password_checks;
    keep(new.limits.scram_iterations == old.limits.scram_iterations, "limits.scram_iterations");
    new.limits.scram_iterations = old.limits.scram_iterations;
    new
}

fn changes(old: &Config, new: &Config, reloaded: &Reloaded) -> Vec<String> {
    let mut lines: Vec<String> = reloaded.changes.iter().map(ToString::to_string).collect();
    if new.limits != old.limits {
        lines.push("limits changed, for new connections".to_owned());
    }
    if new.log.level != old.log.level {
        lines.push("log.level changed".to_owned());
    }
    if new.log.file != old.log.file {
        lines.push("log.file changed".to_owned());
    }
    lines
}
