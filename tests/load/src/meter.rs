//! Measurements: counters, a latency histogram, CPU and memory of processes.

use std::fs;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::time::Instant;

use rustix::param::clock_ticks_per_second;

/// The number of buckets for each power of two, for an error under 2 %.
const SUB: usize = 64;

/// Log-linear histogram of microseconds, shared by all tasks.
pub(crate) struct Hist(Vec<AtomicU64>);

impl Hist {
    fn new() -> Self {
        Self((0..40 * SUB).map(|_| AtomicU64::new(0)).collect())
    }

    fn add(&self, us: u64) {
        let i = if us < SUB as u64 {
            us as usize
        } else {
            let shift = 63 - us.leading_zeros() as usize - 6;
            (shift + 1) * SUB + ((us >> shift) as usize - SUB)
        };
        self.0[i.min(self.0.len() - 1)].fetch_add(1, Relaxed);
    }

    fn clear(&self) {
        self.0.iter().for_each(|c| c.store(0, Relaxed));
    }

    /// The value below which the share `q` of samples lies.
    fn quantile(&self, q: f64) -> u64 {
        let total: u64 = self.0.iter().map(|c| c.load(Relaxed)).sum();
        let mut left = (total as f64 * q).ceil() as u64;
        for (i, c) in self.0.iter().enumerate() {
            let n = c.load(Relaxed);
            if n >= left {
                return match i / SUB {
                    0 => i as u64,
                    s => ((i % SUB + SUB) as u64) << (s - 1),
                };
            }
            left -= n;
        }
        0
    }
}

/// Counters of one run. The mode defines what an operation is.
pub(crate) struct Stats {
    ops: AtomicU64,
    pub(crate) errors: AtomicU64,
    pub(crate) lost: AtomicU64,
    pub(crate) duplicated: AtomicU64,
    pub(crate) disordered: AtomicU64,
    latency: Hist,
    pub(crate) recording: AtomicBool,
    pub(crate) stopping: AtomicBool,
    epoch: Instant,
}

impl Stats {
    pub(crate) fn new() -> Self {
        Self {
            ops: 0.into(),
            errors: 0.into(),
            lost: 0.into(),
            duplicated: 0.into(),
            disordered: 0.into(),
            latency: Hist::new(),
            recording: false.into(),
            stopping: false.into(),
            epoch: Instant::now(),
        }
    }

    pub(crate) fn now_us(&self) -> u64 {
        self.epoch.elapsed().as_micros() as u64
    }

    pub(crate) fn done(&self, sent_us: u64, now_us: u64) {
        self.ops.fetch_add(1, Relaxed);
        if self.recording.load(Relaxed) {
            self.latency.add(now_us.saturating_sub(sent_us));
        }
    }

    /// The latencies recorded since the last call.
    pub(crate) fn times(&self) -> Times {
        let [p50, p99, p999] = [0.5, 0.99, 0.999].map(|q| self.latency.quantile(q));
        self.latency.clear();
        Times { p50, p99, p999 }
    }

    pub(crate) fn stopped(&self) -> bool {
        self.stopping.load(Relaxed)
    }
}

/// Latencies, in microseconds.
pub(crate) struct Times {
    pub(crate) p50: u64,
    pub(crate) p99: u64,
    pub(crate) p999: u64,
}

/// The user and system CPU seconds of all threads of a process.
fn cpu(pid: u32) -> (f64, f64) {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let rest = text.rsplit(") ").next().unwrap_or("");
    let field = |n: usize| -> f64 {
        let v = rest.split(' ').nth(n).and_then(|v| v.parse::<f64>().ok());
        v.unwrap_or(0.0) / clock_ticks_per_second() as f64
    };
    (field(11), field(12))
}

fn status_kib(pid: u32, key: &str) -> u64 {
    let text = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = text.lines().find_map(|l| l.strip_prefix(key));
    line.and_then(|l| l.trim_start_matches(':').trim().split(' ').next()?.parse().ok()).unwrap_or(0)
}

pub(crate) fn rss_kib(pids: &[u32]) -> u64 {
    pids.iter().map(|&p| status_kib(p, "VmRSS")).sum()
}

/// The CPU seconds of all processes, of interrupts, and of the hypervisor.
fn machine() -> [f64; 3] {
    let text = fs::read_to_string("/proc/stat").unwrap_or_default();
    let line = text.lines().next().unwrap_or("");
    let t: Vec<f64> = line.split_whitespace().skip(1).filter_map(|v| v.parse().ok()).collect();
    let ticks = clock_ticks_per_second() as f64;
    // user nice system idle iowait irq softirq steal
    let sum = |fields: &[usize]| fields.iter().filter_map(|&i| t.get(i)).sum::<f64>() / ticks;
    [sum(&[0, 1, 2]), sum(&[5, 6]), sum(&[7])]
}

#[derive(Clone, Copy)]
pub(crate) struct Snap {
    at: Instant,
    ops: u64,
    user: f64,
    sys: f64,
    rig: f64,
    machine: [f64; 3],
}

impl Snap {
    /// Server CPU seconds between two snapshots.
    pub(crate) fn cpu_until(&self, b: &Self) -> f64 {
        b.user + b.sys - self.user - self.sys
    }
}

pub(crate) fn snap(pids: &[u32], stats: &Stats) -> Snap {
    let (user, sys) = pids.iter().map(|&p| cpu(p)).fold((0.0, 0.0), |a, b| (a.0 + b.0, a.1 + b.1));
    let own = cpu(std::process::id());
    let machine = machine();
    let (at, ops) = (Instant::now(), stats.ops.load(Relaxed));
    Snap { at, ops, user, sys, rig: own.0 + own.1, machine }
}

/// The fields of the JSON line, in order.
#[derive(Default)]
pub(crate) struct Report(Vec<(String, String)>);

impl Report {
    pub(crate) fn text(&mut self, k: &str, v: &str) {
        self.0.push((k.into(), format!("\"{}\"", v.replace('\\', "\\\\").replace('"', "\\\""))));
    }

    pub(crate) fn int(&mut self, k: &str, v: u64) {
        self.0.push((k.into(), v.to_string()));
    }

    pub(crate) fn num(&mut self, k: &str, v: f64) {
        self.0.push((k.into(), if v.is_finite() { format!("{v:.3}") } else { "null".into() }));
    }

    pub(crate) fn window(&mut self, a: &Snap, b: &Snap) {
        let secs = (b.at - a.at).as_secs_f64();
        let ops = b.ops - a.ops;
        let (user, sys) = (b.user - a.user, b.sys - a.sys);
        let rig = b.rig - a.rig;
        let [used, interrupts, stolen] = [0, 1, 2].map(|i| b.machine[i] - a.machine[i]);
        self.num("secs", secs);
        self.int("ops", ops);
        self.num("ops_per_s", ops as f64 / secs);
        self.num("server_cpu_s", user + sys);
        self.num("server_user_s", user);
        self.num("server_sys_s", sys);
        self.num("server_cpu_pct", (user + sys) / secs * 100.0);
        self.num("server_us_per_op", (user + sys) * 1e6 / ops as f64);
        self.num("rig_cpu_s", rig);
        self.num("rig_us_per_op", rig * 1e6 / ops as f64);
        self.num("machine_busy_pct", (used + interrupts) / secs * 100.0);
        // The kernel counts interrupts as system time of the interrupted process.
        self.num("others_pct", (used + interrupts - user - sys - rig) / secs * 100.0);
        self.num("stolen_pct", stolen / secs * 100.0);
    }

    pub(crate) fn counters(&mut self, s: &Stats) {
        self.int("errors", s.errors.load(Relaxed));
        self.int("lost", s.lost.load(Relaxed));
        self.int("duplicated", s.duplicated.load(Relaxed));
        self.int("disordered", s.disordered.load(Relaxed));
    }

    pub(crate) fn times(&mut self, prefix: &str, t: &Times) {
        for (name, us) in [("p50", t.p50), ("p99", t.p99), ("p999", t.p999)] {
            self.int(&format!("{prefix}{name}_us"), us);
        }
    }

    pub(crate) fn print(&self) {
        let fields: Vec<String> = self.0.iter().map(|(k, v)| format!("\"{k}\":{v}")).collect();
        println!("{{{}}}", fields.join(","));
        let human: Vec<String> = self.0.iter().map(|(k, v)| format!("{k}={v}")).collect();
        eprintln!("{}", human.join(" "));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_close_to_the_exact_values() {
        let h = Hist::new();
        (1..=100_000u64).for_each(|v| h.add(v));
        for (q, want) in [(0.5, 50_000.0), (0.99, 99_000.0), (0.0005, 50.0)] {
            let got = h.quantile(q) as f64;
            assert!((got - want).abs() / want < 0.025, "{q}: {got}");
        }
    }
}
