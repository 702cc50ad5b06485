//! The text format OpenMetrics 1.0.

use std::{
    collections::{BTreeMap, HashSet},
    fmt,
};

use event_core::events::Sample;

/// The content type of a [`Reading`].
pub(super) const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

pub(super) type Labels = Vec<(&'static str, String)>;

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
#[derive(Debug, Default)]
pub(super) struct Reading(Vec<Family>);

impl Reading {
    pub(super) fn gauge(
        &mut self,
        name: &'static str,
        help: &'static str,
        values: impl IntoIterator<Item = (Labels, f64)>,
    ) {
        let values = values.into_iter().collect();
        self.0.push(Family { name, help, type_: Type::Gauge, values });
    }

    pub(super) fn counter(
        &mut self,
        name: &'static str,
        help: &'static str,
        values: impl IntoIterator<Item = (Labels, f64)>,
    ) {
        let values = values.into_iter().collect();
        self.0.push(Family { name, help, type_: Type::Counter, values });
    }

    /// Adds the modules' samples, except those that would make Prometheus refuse the whole text.
    pub(super) fn with(mut self, samples: Vec<Sample>) -> Self {
        let own: HashSet<&str> = self.0.iter().map(|family| family.name).collect();
        let mut families: BTreeMap<&'static str, (&'static str, BTreeMap<Labels, f64>)> =
            BTreeMap::new();
        for sample in samples {
            let names =
                std::iter::once(sample.name).chain(sample.labels.iter().map(|(name, _)| *name));
            if own.contains(sample.name) || !names.into_iter().all(is_name) {
                tracing::warn!(
                    metric = sample.name,
                    "a sample is left out: the name is invalid or used by the server"
                );
                continue;
            }
            let (_, values) = families.entry(sample.name).or_insert((sample.help, BTreeMap::new()));
            if values.insert(sample.labels, sample.value).is_some() {
                tracing::warn!(
                    metric = sample.name,
                    "two samples have the same labels; the second replaces the first"
                );
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

#[cfg(test)]
mod tests {
    use super::*;

    fn text(samples: Vec<Sample>) -> String {
        let mut reading = Reading::default();
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
