//! The server's counters as OpenMetrics 1.0.
//!
//! Nothing is counted here: each part of the server counts its own work, and a request reads the
//! counters. Modules add samples with `stats-update`.

use std::{
    collections::{BTreeMap, HashSet},
    fmt,
    sync::{Arc, Weak},
    time::Duration,
};

use event_core::{Core, HookListing, events::Sample, storage::StorageStats};

use crate::{
    run::log::Logging,
    s2s::Federation,
    stream::{ELEMENTS, STREAMS, Streams},
};

/// The content type of [`Metrics::read`].
pub const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

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
        let samples = core.measure().await;
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

type Labels = Vec<(&'static str, String)>;

/// The type of a metric.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Type {
    Counter,
    Gauge,
}

/// All values of one metric.
#[derive(Debug)]
struct Family {
    name: &'static str,
    help: &'static str,
    type_: Type,
    values: Vec<(Labels, f64)>,
}

/// The values of all metrics at one moment.
#[derive(Debug)]
struct Reading(Vec<Family>);

impl Reading {
    fn new(core: &Core, streams: &Streams, federation: &Federation) -> Self {
        let mut reading = Self(Vec::new());
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
        self.gauge("spondee_background_queue_stanzas", help, one(core.waiting()));
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
            let called = host.hooks().into_iter().filter(|listing| listing.stats.calls > 0);
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

    fn gauge(
        &mut self,
        name: &'static str,
        help: &'static str,
        values: impl IntoIterator<Item = (Labels, f64)>,
    ) {
        let values = values.into_iter().collect();
        self.0.push(Family { name, help, type_: Type::Gauge, values });
    }

    fn counter(
        &mut self,
        name: &'static str,
        help: &'static str,
        values: impl IntoIterator<Item = (Labels, f64)>,
    ) {
        let values = values.into_iter().collect();
        self.0.push(Family { name, help, type_: Type::Counter, values });
    }

    /// Adds the modules' samples, without those for which Prometheus would refuse the whole text.
    fn with(mut self, samples: Vec<Sample>) -> Self {
        let own: HashSet<&str> = self.0.iter().map(|family| family.name).collect();
        let mut families: BTreeMap<&'static str, (&'static str, BTreeMap<Labels, f64>)> =
            BTreeMap::new();
        for sample in samples {
            let names =
                std::iter::once(sample.name).chain(sample.labels.iter().map(|(name, _)| *name));
            if own.contains(sample.name) || !names.into_iter().all(is_name) {
                tracing::warn!(metric = sample.name, "its name is taken or not one: left out");
                continue;
            }
            let (_, values) = families.entry(sample.name).or_insert((sample.help, BTreeMap::new()));
            if values.insert(sample.labels, sample.value).is_some() {
                tracing::warn!(metric = sample.name, "two values with the same labels");
            }
        }
        for (name, (help, values)) in families {
            self.gauge(name, help, values);
        }
        self
    }
}

impl fmt::Display for Reading {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for Family { name, help, type_, values } in &self.0 {
            let (type_, suffix) = match type_ {
                Type::Counter => ("counter", "_total"),
                Type::Gauge => ("gauge", ""),
            };
            writeln!(f, "# HELP {name} {}", escaped(help))?;
            writeln!(f, "# TYPE {name} {type_}")?;
            for (labels, value) in values {
                write!(f, "{name}{suffix}")?;
                for (index, (label, text)) in labels.iter().enumerate() {
                    let before = if index == 0 { '{' } else { ',' };
                    write!(f, "{before}{label}=\"{}\"", escaped(text))?;
                }
                writeln!(f, "{} {value}", if labels.is_empty() { "" } else { "}" })?;
            }
        }
        writeln!(f, "# EOF")
    }
}

/// Escapes a label's value.
fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

/// Whether a metric or a label may have this name.
fn is_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
}

/// Exact up to 2^53: Prometheus keeps all values as `f64`.
#[expect(clippy::cast_precision_loss, reason = "Prometheus has no other numbers")]
fn count(value: u64) -> f64 {
    value as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(samples: Vec<Sample>) -> String {
        let mut reading = Reading(Vec::new());
        reading.counter("own", "Ours.", [(vec![], 1.0)]);
        reading.with(samples).to_string()
    }

    fn sample(name: &'static str, labels: Labels) -> Sample {
        Sample { name, help: "Theirs.", labels, value: 2.5 }
    }

    #[test]
    fn what_modules_measure_is_grouped_and_escaped() {
        let label = |value: &str| vec![("room", value.to_owned())];
        let text = text(vec![
            sample("rooms", label("a\"\n")),
            sample("users", vec![]),
            sample("rooms", label("b")),
        ]);
        let expected = "# HELP own Ours.\n# TYPE own counter\nown_total 1\n\
                        # HELP rooms Theirs.\n# TYPE rooms gauge\n\
                        rooms{room=\"a\\\"\\n\"} 2.5\nrooms{room=\"b\"} 2.5\n\
                        # HELP users Theirs.\n# TYPE users gauge\nusers 2.5\n# EOF\n";
        assert_eq!(text, expected);
    }

    #[test]
    fn what_would_spoil_all_is_left_out() {
        let twice = || sample("fine", vec![]);
        let text = text(vec![
            sample("own", vec![]),
            sample("not a name", vec![]),
            sample("0", vec![]),
            sample("labels", vec![("a b", String::new())]),
            twice(),
            twice(),
        ]);
        assert!(!text.contains("labels") && !text.contains("not a name"), "{text}");
        assert_eq!(text.matches("\nown").count(), 1, "{text}");
        assert_eq!(text.matches("\nfine").count(), 1, "{text}");
    }
}
