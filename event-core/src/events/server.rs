//! The life of the server. These events are global: a handler runs once for each host that
//! enables its module, by priority and then in the order of the hosts.

use crate::events::declare::payload_events;

payload_events! {
    const SERVER;

    /// All modules have started; no listener is open yet. Nothing can stop it.
    ServerStarting {} = "server-starting",
        "#[hook(\"server-starting\")]\nfn warm_up(_: &ServerStarting) {}";

    /// All listeners are open: clients can connect. Nothing can stop it.
    ServerStarted {} = "server-started",
        "#[hook(\"server-started\")]\nasync fn announce(_: &ServerStarted) {}";

    /// The server was told to stop; streams are still open. Handlers are awaited up to a limit.
    /// Nothing can stop it.
    ServerStopping {} = "server-stopping",
        "#[hook(\"server-stopping\")]\nasync fn save(_: &ServerStopping) {}";

    /// All streams are closed and the process is about to quit: the last event. Nothing can stop
    /// it.
    ServerStopped {} = "server-stopped",
        "#[hook(\"server-stopped\")]\nfn say_goodbye(_: &ServerStopped) {}";

    /// The configuration was read again, on SIGHUP, and is valid. Log files are reopened. Nothing
    /// can stop it.
    ConfigReloaded {
        /// The file that was read; `None` where the defaults are in use.
        filename: Option<std::path::PathBuf>,
        /// How the file is written: `toml`.
        format: &'static str,
        /// What it says, without its secrets.
        config: toml::Table,
    } = "config-reloaded",
        "#[hook(\"config-reloaded\")]\nfn note(reloaded: &ConfigReloaded) {\n    println!(\"{:?} has {} keys\", reloaded.filename, reloaded.config.len());\n}";

    /// Somebody reads the server's metrics: handlers add what they measure. Nothing can stop it.
    StatsUpdate {
        /// What was measured so far.
        samples: Vec<Sample>,
    } = "stats-update",
        "#[hook(\"stats-update\")]\nfn measure(stats: &mut StatsUpdate, cx: &Context<Example>) {\n    let sessions = cx.host().sessions().len();\n    println!(\"{} samples, {sessions} sessions\", stats.samples.len());\n}";
}

/// One measured value, as Prometheus has it.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    /// The metric: small letters, digits and `_`, with its unit at the end: `rooms_bytes`.
    pub name: &'static str,
    /// What it is, for a person.
    pub help: &'static str,
    /// What tells this value from the others of the metric.
    pub labels: Vec<(&'static str, String)>,
    /// The value now.
    pub value: f64,
}
