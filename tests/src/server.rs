//! A server process with its own folder and ports.

use std::{
    fs,
    io::{BufRead, BufReader, Write},
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    sync::mpsc::{self, Receiver},
    time::Instant,
};

use rustls::{RootCertStore, pki_types::CertificateDer, pki_types::pem::PemObject};
use tempfile::TempDir;

use crate::TIMEOUT;

/// The accounts of every server; the password of each is its name.
pub const ACCOUNTS: [&str; 3] = ["romeo", "juliet", "nurse"];

/// A running server, which is killed when this is dropped.
#[derive(Debug)]
pub struct Server {
    binary: PathBuf,
    process: Child,
    folder: TempDir,
    log: Receiver<String>,
    seen: Vec<String>,
    /// The client address with STARTTLS.
    pub c2s: SocketAddr,
    /// The client address with direct TLS.
    pub c2s_tls: SocketAddr,
}

/// Configuration in addition to the defaults.
#[derive(Debug, Default)]
pub struct Setup {
    /// Lines before the first table.
    pub top: String,
    /// Lines for `[host.localhost]`.
    pub host: String,
    /// Complete tables: other hosts, and options of modules. `RECORDS` is replaced by the
    /// recorder's file.
    pub tables: String,
    /// Other domains than `localhost` in which accounts are created.
    pub domains: Vec<&'static str>,
}

impl Server {
    /// Starts a server for `localhost`, with the recorder enabled.
    pub fn start() -> Self {
        Self::with(&Setup::default())
    }

    /// Starts a server with further configuration.
    pub fn with(setup: &Setup) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let records = folder.path().join("records");
        fs::write(&records, "").unwrap();
        let mut config = format!(
            "data = {data:?}\n{top}\n\
             [[listen]]\nkind = \"c2s\"\naddress = \"127.0.0.1:0\"\n\
             [[listen]]\nkind = \"c2s-tls\"\naddress = \"127.0.0.1:0\"\n\
             [host.\"localhost\"]\nmodules = [\"+recorder\"]\n{host}\n\
             [host.\"localhost\".module.recorder]\nfile = {records:?}\n{tables}\n",
            data = folder.path().join("data"),
            top = setup.top,
            host = setup.host,
            tables = setup.tables.replace("RECORDS", &format!("{records:?}")),
        );
        if setup.host.contains("modules") {
            config = config.replace("modules = [\"+recorder\"]\n", "");
        }
        fs::write(folder.path().join("spondee.toml"), config).unwrap();
        let mut import = String::new();
        for domain in ["localhost"].iter().chain(&setup.domains) {
            for name in ACCOUNTS {
                import.push_str(&format!("{name}@{domain},{name}\n"));
            }
        }
        let list = folder.path().join("accounts.csv");
        fs::write(&list, import).unwrap();
        let imported = command(folder.path()).args(["user", "import"]).arg(&list).output().unwrap();
        assert!(imported.status.success(), "{}", String::from_utf8_lossy(&imported.stderr));
        Self::run(folder)
    }

    /// Starts a server on a folder whose `spondee.toml` has client listeners with STARTTLS and with
    /// direct TLS.
    pub fn run(folder: TempDir) -> Self {
        Self::run_binary(own_binary(), folder)
    }

    /// As [`Server::run`], with the server of another crate.
    pub fn run_binary(binary: PathBuf, folder: TempDir) -> Self {
        let (process, log) = spawn(&binary, folder.path());
        let nowhere = SocketAddr::from(([127, 0, 0, 1], 0));
        let (c2s, c2s_tls) = (nowhere, nowhere);
        let mut server = Self { binary, process, folder, log, seen: Vec::new(), c2s, c2s_tls };
        server.listens();
        server
    }

    fn listens(&mut self) {
        self.c2s = self.address("kind=c2s ");
        self.c2s_tls = self.address("kind=c2s-tls ");
    }

    /// Stops the server and waits for its end.
    pub fn stop(&mut self) {
        self.signal("TERM");
        assert!(self.wait().success());
    }

    /// Starts the stopped server again.
    pub fn start_again(&mut self) {
        (self.process, self.log) = spawn(&self.binary, self.folder.path());
        self.seen.clear();
        self.listens();
    }

    /// The address of a listener, from the log line with these fields: `kind=component `.
    pub fn address(&mut self, kind: &str) -> SocketAddr {
        let line = self.wait_log(|line| line.contains(kind) && line.contains("address="));
        let address = line.split("address=").nth(1).unwrap();
        address.split_whitespace().next().unwrap().parse().unwrap()
    }

    /// Waits for a line in the log. The line may exist already.
    pub fn wait_log(&mut self, is_it: impl Fn(&str) -> bool) -> String {
        if let Some(line) = self.seen.iter().find(|line| is_it(line)) {
            return line.clone();
        }
        let deadline = Instant::now() + TIMEOUT;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let Ok(line) = self.log.recv_timeout(left) else {
                panic!("no such line in the log:\n{}", self.seen.join("\n"));
            };
            self.seen.push(line.clone());
            if is_it(&line) {
                return line;
            }
        }
    }

    /// The lines of the log so far.
    pub fn log_so_far(&mut self) -> &[String] {
        self.seen.extend(self.log.try_iter());
        &self.seen
    }

    /// Runs another command of the server's binary on the same folder.
    pub fn command(&self) -> Command {
        configured(&self.binary, self.folder.path())
    }

    /// The configuration file.
    pub fn config(&self) -> PathBuf {
        self.folder.path().join("spondee.toml")
    }

    /// The data folder.
    pub fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// The lines that the recorder has written.
    pub fn records(&self) -> Vec<String> {
        let records = fs::read_to_string(self.folder.path().join("records")).unwrap();
        records.lines().map(String::from).collect()
    }

    /// Waits until the recorder has written a line with this beginning, and returns the line.
    pub fn wait_record(&self, beginning: &str) -> String {
        let deadline = Instant::now() + TIMEOUT;
        loop {
            let records = self.records();
            if let Some(line) = records.iter().find(|line| line.starts_with(beginning)) {
                return line.clone();
            }
            assert!(Instant::now() < deadline, "no {beginning:?} in:\n{}", records.join("\n"));
            std::thread::yield_now();
        }
    }

    /// The server's self-signed certificates, for a TLS configuration that trusts nothing else.
    pub fn roots(&self) -> RootCertStore {
        let mut roots = RootCertStore::empty();
        for file in fs::read_dir(self.data()).unwrap() {
            let file = file.unwrap().path();
            if file.extension().is_some_and(|extension| extension == "pem") {
                roots.add(CertificateDer::from_pem_file(file).unwrap()).unwrap();
            }
        }
        roots
    }

    /// Sends a signal, by its name without `SIG`.
    pub fn signal(&self, name: &str) {
        let status = Command::new("kill")
            .args(["-s", name, &self.process.id().to_string()])
            .status()
            .unwrap();
        assert!(status.success());
    }

    /// Waits for the process to end.
    pub fn wait(&mut self) -> ExitStatus {
        let deadline = Instant::now() + TIMEOUT;
        loop {
            if let Some(status) = self.process.try_wait().unwrap() {
                return status;
            }
            assert!(Instant::now() < deadline, "the server does not stop");
            std::thread::yield_now();
        }
    }

    /// Starts a server on the folder of this stopped server.
    pub fn restart(&mut self) {
        let folder = std::mem::replace(&mut self.folder, tempfile::tempdir().unwrap());
        *self = Self::run_binary(self.binary.clone(), folder);
    }

    /// The resident memory of the process in KiB.
    pub fn resident_kib(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.process.id())).unwrap();
        let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
        line.split_whitespace().nth(1).unwrap().parse().unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        if std::thread::panicking() {
            let mut stderr = std::io::stderr().lock();
            let rest: Vec<_> = self.log.try_iter().collect();
            for line in self.seen.iter().chain(&rest) {
                let _ = writeln!(stderr, "server: {line}");
            }
        }
    }
}

fn spawn(binary: &Path, folder: &Path) -> (Child, Receiver<String>) {
    let mut process = configured(binary, folder).stderr(Stdio::piped()).spawn().unwrap();
    let stderr = process.stderr.take().unwrap();
    let (lines, log) = mpsc::channel();
    std::thread::spawn(move || {
        for line in BufReader::new(stderr).lines() {
            let Ok(line) = line else { break };
            if lines.send(line).is_err() {
                break;
            }
        }
    });
    (process, log)
}

/// A command of the server's binary, with the configuration in `folder`.
pub fn command(folder: &Path) -> Command {
    configured(&own_binary(), folder)
}

/// The server's binary.
pub fn binary() -> Command {
    quiet(&own_binary())
}

fn own_binary() -> PathBuf {
    let mut binary = std::env::current_exe().unwrap();
    // The test binary is …/deps/test-1234, the server's is …/spondee-tests.
    binary.pop();
    if binary.ends_with("deps") {
        binary.pop();
    }
    binary.join("spondee-tests")
}

fn configured(binary: &Path, folder: &Path) -> Command {
    let mut command = quiet(binary);
    command.arg("--config").arg(folder.join("spondee.toml"));
    command
}

fn quiet(binary: &Path) -> Command {
    let mut command = Command::new(binary);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command
}
