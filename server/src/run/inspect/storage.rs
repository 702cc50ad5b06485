//! Whether data can be stored.

use std::path::Path;

use rustix::fs::{Access, access, statvfs};

use super::findings::{Findings, Level, Subject};
use crate::config::Config;
use crate::storage::{DATABASE_FILE, Database, LOCK_FILE};

const MIB: u64 = 1024 * 1024;
/// Free space below which the server will soon stop.
const FULL: u64 = 64 * MIB;
/// Free space below which the operator should act.
const LOW: u64 = 1024 * MIB;

pub(super) async fn look(config: &Config, findings: &mut Findings) {
    let folder = config.data.as_path();
    let is_there = folder.exists();
    let at = if config.data_is_given { String::new() } else { config.at("data") };
    // The folder is made at the start, in the nearest one that exists.
    let place = folder.ancestors().map(|path| match path.as_os_str().is_empty() {
        true => Path::new("."),
        false => path,
    });
    let Some(place) = place.into_iter().find(|path| path.exists()) else { return };
    if !place.is_dir() {
        let message =
            format!("{at}{} is in the place of the data folder, and no folder", place.display());
        findings.refuse_with_help(Subject::Storage, message, "set data to a folder");
        return;
    }
    if let Err(error) = access(place, Access::WRITE_OK | Access::EXEC_OK) {
        findings.refuse_with_help(
            Subject::Storage,
            format!("{at}nothing can be written to {}: {error}", place.display()),
            "set data to another folder, or give this one to the user that the server runs as",
        );
    }
    space(place, findings);
    if is_there {
        findings.add(Level::Note, Subject::Storage, format!("data: {}", folder.display()));
        #[cfg(unix)]
        private(folder, findings);
    } else {
        let message = format!("data: {} (made at the start)", folder.display());
        findings.add(Level::Note, Subject::Storage, message);
    }
    database(config, findings).await;
}

async fn database(config: &Config, findings: &mut Findings) {
    if let Some(url) = &config.storage.url {
        findings.add(Level::Note, Subject::Storage, format!("database: {url}"));
    }
    let files = match config.storage.url {
        Some(_) => Vec::new(),
        None => ["", "-wal", "-shm"].map(|end| format!("{DATABASE_FILE}{end}")).to_vec(),
    };
    for file in files.iter().map(String::as_str).chain([LOCK_FILE]) {
        let file = config.data.join(file);
        if file.exists()
            && let Err(error) = access(&file, Access::READ_OK | Access::WRITE_OK)
        {
            return findings.refuse_with_help(
                Subject::Storage,
                format!("{} cannot be written: {error}", file.display()),
                "give it to the user that the server runs as",
            );
        }
    }
    let Err(error) = Database::look(config).await else { return };
    match &config.storage.url {
        Some(url) => findings.refuse_with_help(
            Subject::Storage,
            format!("{}{url}: {error}", config.at("storage.url")),
            "see that PostgreSQL runs there and lets in the user of storage.url, with its password",
        ),
        None => findings.refuse(Subject::Storage, error.to_string()),
    }
}

fn space(place: &Path, findings: &mut Findings) {
    // Without an answer of the system nothing is reported.
    let Ok(found) = statvfs(place) else { return };
    let free = found.f_bavail.saturating_mul(found.f_frsize);
    if free < LOW {
        let level = if free < FULL { Level::Error } else { Level::Warning };
        findings.add_with_help(
            level,
            Subject::Storage,
            format!("only {} MiB are free for {}", free / MIB, place.display()),
            "make room: without it nothing can be stored, and messages are refused",
        );
    }
}

#[cfg(unix)]
fn private(folder: &Path, findings: &mut Findings) {
    use std::os::unix::fs::PermissionsExt;
    let Ok(found) = std::fs::metadata(folder) else { return };
    let mode = found.permissions().mode() & 0o777;
    if mode & 0o027 != 0 {
        let folder = folder.display();
        findings.add_with_help(
            Level::Warning,
            Subject::Storage,
            format!("other users can read the data folder {folder} (mode {mode:03o})"),
            format!("chmod 700 {folder}"),
        );
    }
}
