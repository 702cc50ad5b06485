//! A PostgreSQL server for one test, in a temporary folder with a Unix socket.
//!
//! Uses the programs of Debian's package `postgresql`, which need no configuration. PostgreSQL
//! refuses to run as root, so root starts the server as that package's user `postgres`.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test without its database cannot continue"
)]

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use tempfile::TempDir;

/// A running server, which is stopped when this is dropped.
#[derive(Debug)]
pub struct Postgres {
    programs: PathBuf,
    folder: TempDir,
    is_root: bool,
}

impl Postgres {
    /// Creates a cluster and starts its server.
    ///
    /// # Panics
    /// PostgreSQL is not installed, or does not start.
    pub fn start() -> Self {
        let folder = tempfile::Builder::new().prefix("pg").tempdir().unwrap();
        let is_root = is_root(folder.path());
        let postgres = Self { programs: programs(), folder, is_root };
        if is_root {
            let owned = Command::new("chown").arg("postgres").arg(postgres.folder.path()).status();
            assert!(owned.unwrap().success());
        }
        postgres.run("initdb", &["-A", "trust", "-U", "postgres", "-E", "UTF8", "--no-sync"]);
        postgres.resume();
        postgres
    }

    /// The URL of the database.
    pub fn url(&self) -> String {
        let socket = self.folder.path().display().to_string().replace('/', "%2F");
        format!("postgres://postgres@{socket}/postgres")
    }

    /// Stops the server and disconnects its clients.
    pub fn stop(&self) {
        self.run("pg_ctl", &["-w", "-m", "fast", "stop"]);
    }

    /// Starts the server again.
    pub fn resume(&self) {
        let folder = self.folder.path().display();
        // fsync is off, because no test simulates a power failure.
        let options =
            format!("-k {folder} -c listen_addresses= -c fsync=off -c max_connections=40");
        let log = self.folder.path().join("log");
        self.run("pg_ctl", &["-w", "-l", &log.display().to_string(), "-o", &options, "start"]);
    }

    /// Runs a statement and returns its output.
    pub fn query(&self, statement: &str) -> String {
        let output = Command::new(self.programs.join("psql"))
            .args(["-X", "-A", "-t", "-U", "postgres", "-c", statement, "-h"])
            .arg(self.folder.path())
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    fn run(&self, program: &str, arguments: &[&str]) {
        let program = self.programs.join(program);
        let mut command = if self.is_root {
            let mut command = Command::new("setpriv");
            command.args(["--reuid=postgres", "--regid=postgres", "--clear-groups"]).arg(program);
            command
        } else {
            Command::new(program)
        };
        let data = self.folder.path().join("data");
        command.arg("-D").arg(data).args(arguments).current_dir(self.folder.path());
        // A file instead of a pipe, because the server would keep the pipe open.
        let said = self.folder.path().join("said");
        let file = fs::File::create(&said).unwrap();
        let status = command.stdout(file.try_clone().unwrap()).stderr(file).status().unwrap();
        assert!(status.success(), "{command:?}: {}", fs::read_to_string(said).unwrap());
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        let stopped = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            self.run("pg_ctl", &["-w", "-m", "immediate", "stop"]);
        }));
        // Ignored, because the test may have stopped the server already.
        drop(stopped);
    }
}

/// The folder of the newest version's programs.
fn programs() -> PathBuf {
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let newest = versions
        .filter_map(|version| {
            let number: u32 = version.file_name().to_str()?.parse().ok()?;
            Some((number, version.path().join("bin")))
        })
        .filter(|(_, programs)| programs.join("initdb").exists())
        .max();
    newest.expect("Debian's package postgresql is not installed").1
}

fn is_root(mine: &Path) -> bool {
    std::os::unix::fs::MetadataExt::uid(&fs::metadata(mine).unwrap()) == 0
}
