//! Events of the whole server. A handler runs once for each host that enables the handler's module:
//! by priority, then in the order of the hosts in the configuration.

use crate::events::declare::payload_events;

payload_events! {
    const SERVER;

    /// All modules have started; no listener is open yet. No handler can stop this event.
    ServerStarting {} = "server-starting",
        "#[hook(\"server-starting\")]\nfn warm_up(_: &ServerStarting) {}";

    /// All listeners are open, so clients can connect. No handler can stop this event.
    ServerStarted {} = "server-started",
        "#[hook(\"server-started\")]\nasync fn announce(_: &ServerStarted) {}";

    /// The server has begun to stop; streams are still open. The server waits for the handlers up
    /// to a time limit. No handler can stop this event.
    ServerStopping {} = "server-stopping",
        "#[hook(\"server-stopping\")]\nasync fn save(_: &ServerStopping) {}";

    /// All streams are closed and the process is about to exit. No event fires after this one. No
    /// handler can stop this event.
    ServerStopped {} = "server-stopped",
        "#[hook(\"server-stopped\")]\nfn log_end(_: &ServerStopped) {}";

    /// The server has read its configuration again, on SIGHUP, and the configuration is valid. Log
    /// files are reopened. No handler can stop this event.
    ConfigReloaded {
        /// The file that was read; `None` when the server runs with defaults.
        filename: Option<std::path::PathBuf>,
        /// The format of the file: `toml`.
        format: &'static str,
        /// The configuration without its secrets and without the options of modules, which may be
        /// secrets. A module gets its own options in `ModuleState::reload`.
        config: toml::Table,
    } = "config-reloaded",
        "#[hook(\"config-reloaded\")]\nfn note(reloaded: &ConfigReloaded) {\n    println!(\"{:?} has {} keys\", reloaded.filename, reloaded.config.len());\n}";

    /// The server's metrics are being read. The samples that handlers add are part of the answer.
    /// No handler can stop this event.
    StatsUpdate {
        /// The samples added so far.
        samples: Vec<Sample>,
    } = "stats-update",
        "#[hook(\"stats-update\")]\nfn measure(stats: &mut StatsUpdate, cx: &Context<Example>) {\n    let sessions = cx.host().sessions().len();\n    println!(\"{} samples, {sessions} sessions\", stats.samples.len());\n}";
}

/// One measured value of a Prometheus metric.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    /// The name of the metric: lower-case letters, digits and `_`, the unit at the end, such as
    /// `rooms_bytes`.
    pub name: &'static str,
    /// The human-readable description of the metric.
    pub help: &'static str,
    /// The labels, which distinguish this sample from the others of the metric.
    pub labels: Vec<(&'static str, String)>,
    /// The current value, in the unit that the name ends with.
    pub value: f64,
}
