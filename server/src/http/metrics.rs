//! The server's counters as metrics.
//!
//! Each part of the server counts its own work, and a request for metrics reads the counters.
//! Modules add samples with `stats-update`.

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

/// Reads the counters of a server. The references are weak, so that the server can stop.
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
            "The log lines that were dropped because the disk was too slow.",
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
            "The version of the server.",
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
            "The bytes that wait to be written.",
            names.into_iter().zip(queued.map(|(_, bytes)| count(bytes as u64))),
        );
        let counters = STREAMS.map(|(kind, name)| (name, streams.traffic.of(kind)));
        self.counter(
            "spondee_stanzas_received",
            "The received elements, by kind of stanza.",
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
            "The elements that were written.",
            counters.iter().map(|(name, counters)| (label(name), count(counters.elements_sent()))),
        );
        self.counter(
            "spondee_received_bytes",
            "The bytes that were read, after decryption.",
            counters.iter().map(|(name, counters)| (label(name), count(counters.bytes_received()))),
        );
        self.counter(
            "spondee_sent_bytes",
            "The bytes that were written, before encryption.",
            counters.iter().map(|(name, counters)| (label(name), count(counters.bytes_sent()))),
        );
    }

    fn queues(&mut self, core: &Core, federation: &Federation) {
        let one = |value: usize| [(Labels::new(), count(value as u64))];
        let (pairs, stanzas) = federation.queued();
        let help = "The pairs of a local and a remote domain with a stream or a queue.";
        self.gauge("spondee_s2s_pairs", help, one(pairs));
        let help = "The stanzas for other servers that wait or are not confirmed.";
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
        let help = "The total time of the reads that have ended.";
        self.counter("spondee_storage_read_seconds", help, seconds(stats.read_time));
        let help = "The transactions that have ended.";
        self.counter("spondee_storage_writes", help, one(count(stats.writes)));
        let help = "The total time of the transactions that have ended, including the wait.";
        self.counter("spondee_storage_write_seconds", help, seconds(stats.write_time));
        let help = "The transactions that wait or are being written.";
        self.gauge("spondee_storage_queue_transactions", help, one(count(stats.queued)));
    }

    /// Reports only handlers that were called: each host has hundreds, and most are never called.
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
        counter("spondee_handler_calls", "The calls of a handler.", |hook| count(hook.stats.calls));
        counter("spondee_handler_handled", "The calls that ended the event.", |hook| {
            count(hook.stats.handled)
        });
        counter("spondee_handler_errors", "The calls that returned an error.", |hook| {
            count(hook.stats.errors)
        });
        counter("spondee_handler_panics", "The calls that panicked.", |hook| {
            count(hook.stats.panics)
        });
        counter("spondee_handler_timed", "The calls that were timed, a sample.", |hook| {
            count(hook.stats.timed)
        });
        counter(
            "spondee_handler_timed_seconds",
            "The total time of the calls that were timed.",
            |hook| Duration::from_nanos(hook.stats.timed_ns).as_secs_f64(),
        );
    }
}

/// Converts a counter. `f64`, the only type of Prometheus, is exact up to 2^53.
#[expect(clippy::cast_precision_loss, reason = "Prometheus has no other numbers")]
fn count(value: u64) -> f64 {
    value as f64
}
