//! The command line: `--key value`. The last value of a key wins; `--pid` may be repeated.

use std::collections::HashMap;
use std::time::Duration;

/// A failure as text, which ends the program.
pub(crate) type Res<T> = Result<T, String>;

const KNOWN: &[&str] = &[
    "addr", "body", "cert", "clients", "conc", "culprit", "first", "host", "key", "label", "limit",
    "mix", "muc", "pairs", "pass", "quiet", "rate", "resume", "route", "s2s", "sasl", "secs",
    "size", "start", "threads", "tls", "tls-addr", "to", "type", "user", "warmup", "window",
];

pub(crate) struct Options {
    map: HashMap<String, String>,
    pub(crate) pids: Vec<u32>,
}

impl Options {
    pub(crate) fn parse(mut args: impl Iterator<Item = String>) -> Res<Self> {
        let mut options = Self { map: HashMap::new(), pids: Vec::new() };
        while let Some(key) = args.next() {
            let name = key.strip_prefix("--").ok_or(format!("not an option: {key}"))?;
            let value = args.next().ok_or(format!("{key} needs a value"))?;
            match name {
                "pid" => options.pids.push(value.parse().map_err(|_| "bad --pid")?),
                _ if KNOWN.contains(&name) => drop(options.map.insert(name.into(), value)),
                _ => return Err(format!("no option {key}")),
            }
        }
        Ok(options)
    }

    pub(crate) fn text<'a>(&'a self, key: &str, default: &'a str) -> &'a str {
        self.map.get(key).map_or(default, |v| v)
    }

    /// The value, which must be one of `values`; the first of them is the default.
    pub(crate) fn one_of<'a>(&'a self, key: &str, values: &[&'a str]) -> Res<&'a str> {
        let value = self.text(key, values[0]);
        let known = values.contains(&value);
        known.then_some(value).ok_or(format!("--{key} must be one of {}", values.join(", ")))
    }

    pub(crate) fn num(&self, key: &str, default: usize) -> Res<usize> {
        self.map.get(key).map_or(Ok(default), |v| v.parse().map_err(|_| format!("bad --{key}")))
    }

    pub(crate) fn secs(&self, key: &str, default: f64) -> Res<Duration> {
        let secs = self.map.get(key).map_or(Ok(default), |v| v.parse()).ok();
        secs.and_then(|secs| Duration::try_from_secs_f64(secs).ok()).ok_or(format!("bad --{key}"))
    }
}
