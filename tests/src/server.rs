//! A server process with a folder of its own, on ports of its own.

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

use crate::PATIENCE;

/// The accounts that every server has; the password of each is its name.
pub const ACCOUNTS: [&str; 3] = ["romeo", "juliet", "nurse"];

/// A running server; it is killed when dropped.
#[derive(Debug)]
pub struct Server {
    process: Child,
    folder: TempDir,
    log: Receiver<String>,
    seen: Vec<String>,
    /// Where clients connect, STARTTLS.
    pub c2s: SocketAddr,
    /// Where clients connect with TLS at once.
    pub c2s_tls: SocketAddr,
}

/// What a test configures beyond the defaults.
#[derive(Debug, Default)]
pub struct Setup {
    /// Lines of the configuration that stand before any table.
    pub top: String,
    /// Lines for `[host.localhost]`.
    pub host: String,
    /// Whole tables: other hosts, options of modules. `RECORDS` stands for the recorder's file.
    pub tables: String,
    /// Domains beside `localhost` whose accounts are made too.
    pub domains: Vec<&'static str>,
}

impl Server {
    /// Starts a server for `localhost`, with the recorder enabled.
    pub fn start() -> Self {
        Self::with(&Setup::default())
    }

    /// Starts a server that is configured further.
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

    /// Starts a server on a folder with a `spondee.toml` that listens for clients in both ways.
    pub fn run(folder: TempDir) -> Self {
        let (process, log) = spawn(folder.path());
        let nowhere = SocketAddr::from(([127, 0, 0, 1], 0));
        let mut server =
            Self { process, folder, log, seen: Vec::new(), c2s: nowhere, c2s_tls: nowhere };
        server.listens();
        server
    }

    fn listens(&mut self) {
        self.c2s = self.address("kind=c2s ");
        self.c2s_tls = self.address("kind=c2s-tls ");
    }

    /// Tells the server to stop, and waits until it has.
    pub fn stop(&mut self) {
        self.signal("TERM");
        assert!(self.wait().success());
    }

    /// Starts it again after it has stopped.
    pub fn start_again(&mut self) {
        (self.process, self.log) = spawn(self.folder.path());
        self.seen.clear();
        self.listens();
    }

    /// Where it listens, by how the line of the log begins that says so: `kind=component `.
    pub fn address(&mut self, kind: &str) -> SocketAddr {
        let line = self.wait_log(|line| line.contains(kind) && line.contains("address="));
        let address = line.split("address=").nth(1).unwrap();
        address.split_whitespace().next().unwrap().parse().unwrap()
    }

    /// Waits for a line of the log, which may have come already.
    pub fn wait_log(&mut self, is_it: impl Fn(&str) -> bool) -> String {
        if let Some(line) = self.seen.iter().find(|line| is_it(line)) {
            return line.clone();
        }
        let deadline = Instant::now() + PATIENCE;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let Ok(line) = self.log.recv_timeout(left) else {
                panic!("the log never said so:\n{}", self.seen.join("\n"));
            };
            self.seen.push(line.clone());
            if is_it(&line) {
                return line;
            }
        }
    }

    /// The lines of the log that have come so far.
    pub fn log_so_far(&mut self) -> &[String] {
        self.seen.extend(self.log.try_iter());
        &self.seen
    }

    /// Runs another command of the server's binary on the same folder.
    pub fn command(&self) -> Command {
        command(self.folder.path())
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

    /// Waits until the recorder has written a line that begins so, and gives it.
    pub fn wait_record(&self, beginning: &str) -> String {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let records = self.records();
            if let Some(line) = records.iter().find(|line| line.starts_with(beginning)) {
                return line.clone();
            }
            assert!(Instant::now() < deadline, "no {beginning:?} in:\n{}", records.join("\n"));
            std::thread::yield_now();
        }
    }

    /// Trusts the certificate that the server made for itself, and no other.
    pub fn roots(&self) -> RootCertStore {
        let mut roots = RootCertStore::empty();
        let file = self.data().join("self-signed.pem");
        roots.add(CertificateDer::from_pem_file(file).unwrap()).unwrap();
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
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.process.try_wait().unwrap() {
                return status;
            }
            assert!(Instant::now() < deadline, "the server does not stop");
            std::thread::yield_now();
        }
    }

    /// Starts a server again on what another that has ended left behind.
    pub fn restart(&mut self) {
        let folder = std::mem::replace(&mut self.folder, tempfile::tempdir().unwrap());
        *self = Self::run(folder);
    }

    /// The memory that the process has in use, in KiB.
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

fn spawn(folder: &Path) -> (Child, Receiver<String>) {
    let mut process = command(folder).stderr(Stdio::piped()).spawn().unwrap();
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

/// The server's binary, on the configuration in `folder`.
pub fn command(folder: &Path) -> Command {
    let mut command = binary();
    command.arg("--config").arg(folder.join("spondee.toml"));
    command
}

/// The server's binary.
pub fn binary() -> Command {
    let mut binary = std::env::current_exe().unwrap();
    // …/deps/test-1234 stands beside …/spondee-tests.
    binary.pop();
    if binary.ends_with("deps") {
        binary.pop();
    }
    let mut command = Command::new(binary.join("spondee-tests"));
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command
}
