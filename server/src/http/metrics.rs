//! The server's counters as metrics.
//!
//! Nothing is counted here: each part of the server counts its own work, and a request reads the
//! counters. Modules add samples with `stats-update`.

use std::{
    sync::{Arc, Weak},
    time::Duration,
};

use event_core::{Core, HookListing, storage::StorageStats};

use super::openmetrics::{Labels, Reading};
use crate::{
    run::log::Logging,
    s2s::Federation,
    stream::{ELEMENTS, STREAMS, Streams},
};

/// Reads the counters of a server. Holds weak references, so that the server can stop.
#[derive(Debug, Clone)]
pub struct Metrics {
    core: Weak<Core>,
    streams: Weak<Streams>,
    federation: Weak<Federation>,
    logging: Logging,
}

impl Metrics {
    /// The metrics of a server.
    pub fn new(
        core: &Arc<Core>,
        streams: &Arc<Streams>,
        federation: &Arc<Federation>,
        logging: &Logging,
    ) -> Self {
        Self {
            core: Arc::downgrade(core),
            streams: Arc::downgrade(streams),
            federation: Arc::downgrade(federation),
            logging: logging.clone(),
        }
    }

    /// All metrics as text; `None` when the server has stopped.
    pub async fn read(&self) -> Option<String> {
        let core = self.core.upgrade()?;
        let samples = core.collect_samples().await;
        let (streams, federation) = (self.streams.upgrade()?, self.federation.upgrade()?);
        let mut reading = Reading::new(&core, &streams, &federation);
        reading.counter(
            "spondee_log_lines_dropped",
            "The lines of the log that were dropped, as the disk did not keep up.",
            [(vec![], count(self.logging.dropped() as u64))],
        );
        Some(reading.with(samples).to_string())
    }
}

impl Reading {
    fn new(core: &Core, streams: &Streams, federation: &Federation) -> Self {
        let mut reading = Self::default();
        reading.gauge(
            "spondee_info",
            "The version that runs.",
            [(vec![("version", event_core::VERSION.to_owned())], 1.0)],
        );
        reading.gauge(
            "spondee_uptime_seconds",
            "The time since the start.",
            [(vec![], core.uptime().as_secs_f64())],
        );
        reading.sessions(core);
        reading.streams(streams);
        reading.queues(core, federation);
        reading.storage(core.storage().stats());
        reading.handlers(core);
        reading
    }

    fn sessions(&mut self, core: &Core) {
        let hosts = core.hosts();
        let sessions = hosts.iter().map(|host| {
            (vec![("host", host.name().to_owned())], count(host.sessions().len() as u64))
        });
        self.gauge("spondee_sessions", "The clients with a resource.", sessions);
    }

    fn streams(&mut self, streams: &Streams) {
        let label = |name: &str| vec![("stream", name.to_owned())];
        let names = STREAMS.map(|(_, name)| label(name));
        let queued = streams.queued();
        self.gauge(
            "spondee_streams",
            "The open connections.",
            names.clone().into_iter().zip(queued.map(|(open, _)| count(open as u64))),
        );
        self.gauge(
            "spondee_stream_queue_bytes",
            "What waits to be written to connections.",
            names.into_iter().zip(queued.map(|(_, bytes)| count(bytes as u64))),
        );
        let counters = STREAMS.map(|(kind, name)| (name, streams.traffic.of(kind)));
        self.counter(
            "spondee_stanzas_received",
            "The elements that came, stanzas by their kind.",
            counters.iter().flat_map(|(name, counters)| {
                ELEMENTS.into_iter().zip(counters.elements_received()).map(|(element, received)| {
                    let mut labels = label(name);
                    labels.push(("stanza", element.to_owned()));
                    (labels, count(received))
                })
            }),
        );
        self.counter(
            "spondee_stanzas_sent",
            "The elements written, stanzas and others.",
            counters.iter().map(|(name, counters)| (label(name), count(counters.elements_sent()))),
        );
        self.counter(
            "spondee_received_bytes",
            "What was read from connections, without TLS.",
            counters.iter().map(|(name, counters)| (label(name), count(counters.bytes_received()))),
        );
        self.counter(
            "spondee_sent_bytes",
            "What was written to connections, without TLS.",
            counters.iter().map(|(name, counters)| (label(name), count(counters.bytes_sent()))),
        );
    }

    fn queues(&mut self, core: &Core, federation: &Federation) {
        let one = |value: usize| [(Labels::new(), count(value as u64))];
        let (pairs, stanzas) = federation.queued();
        let help = "The pairs of a domain here and one elsewhere with something under way.";
        self.gauge("spondee_s2s_pairs", help, one(pairs));
        let help = "The stanzas that wait for other servers, or may not have arrived there.";
        self.gauge("spondee_s2s_queue_stanzas", help, one(stanzas));
        let help = "The stanzas that handlers sent and that are not routed yet.";
        self.gauge("spondee_background_queue_stanzas", help, one(core.queued_stanzas()));
    }

    fn storage(&mut self, stats: StorageStats) {
        let one = |value: f64| [(Labels::new(), value)];
        let seconds = |time: Duration| one(time.as_secs_f64());
        self.counter(
            "spondee_storage_reads",
            "The reads that have ended.",
            one(count(stats.reads)),
        );
        let help = "How long those reads took together.";
        self.counter("spondee_storage_read_seconds", help, seconds(stats.read_time));
        let help = "The transactions that have ended.";
        self.counter("spondee_storage_writes", help, one(count(stats.writes)));
        let help = "How long those transactions took together, waiting for their turn included.";
        self.counter("spondee_storage_write_seconds", help, seconds(stats.write_time));
        let help = "The transactions that wait or are being written.";
        self.gauge("spondee_storage_queue_transactions", help, one(count(stats.queued)));
    }

    /// Only handlers that were called: there are hundreds on each host, and most never are.
    fn handlers(&mut self, core: &Core) {
        let mut hooks: Vec<(Labels, HookListing)> = Vec::new();
        for host in core.hosts() {
            let called = core.hooks(&host).into_iter().filter(|listing| listing.stats.calls > 0);
            hooks.extend(called.map(|listing| {
                let labels = vec![
                    ("host", host.name().to_owned()),
                    ("event", listing.hook.event.to_owned()),
                    ("priority", listing.hook.priority.to_string()),
                    ("module", listing.module.to_owned()),
                    ("function", listing.hook.id()),
                ];
                (labels, listing)
            }));
        }
        let mut counter = |name, help, value: fn(&HookListing) -> f64| {
            self.counter(name, help, hooks.iter().map(|(l, hook)| (l.clone(), value(hook))));
        };
        counter("spondee_handler_calls", "How often a handler was called.", |hook| {
            count(hook.stats.calls)
        });
        counter(
            "spondee_handler_handled",
            "How often it ended the event, with an answer or not.",
            |hook| count(hook.stats.handled),
        );
        counter("spondee_handler_errors", "How often it returned an error.", |hook| {
            count(hook.stats.errors)
        });
        counter("spondee_handler_panics", "How often it panicked.", |hook| {
            count(hook.stats.panics)
        });
        counter("spondee_handler_timed", "How many of the calls were timed: a sample.", |hook| {
            count(hook.stats.timed)
        });
        counter(
            "spondee_handler_timed_seconds",
            "How long the timed calls took together.",
            |hook| Duration::from_nanos(hook.stats.timed_ns).as_secs_f64(),
        );
    }
}

/// Exact up to 2^53: Prometheus keeps all values as `f64`.
#[expect(clippy::cast_precision_loss, reason = "Prometheus has no other numbers")]
fn count(value: u64) -> f64 {
    value as f64
}
