//! The log: one line for each event, as text or as JSON.
//!
//! A thread of its own writes the lines, so that no thread that serves streams waits for a disk.
//! When the disk is too slow, lines are dropped and counted. The level and the file can be changed
//! while the server runs, which log rotation needs.

#[cfg(test)]
mod tests;

use std::{
    fs::{File, OpenOptions},
    io::{self, Write},
    mem,
    path::{Path, PathBuf},
    sync::Arc,
};

use parking_lot::{RwLock, RwLockReadGuard};
use thiserror::Error;
use tracing::{Subscriber, level_filters::LevelFilter};
use tracing_appender::non_blocking::{NonBlocking, NonBlockingBuilder, WorkerGuard};
use tracing_subscriber::{
    Layer, Registry, filter::Targets, fmt, fmt::MakeWriter, layer::SubscriberExt, reload,
};

use crate::{
    config::{Log, LogFormat, LogLevel},
    plain::{plain, printable},
};

/// The number of lines that may wait to be written; further lines are dropped.
const QUEUE: usize = 4096;

/// Why the log cannot be set up.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum LogError {
    /// The file cannot be opened.
    #[error("cannot open the log file {}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// The I/O error.
        source: io::Error,
    },
    /// This process has a log already.
    #[error("logging has been set up already")]
    Twice,
}

/// The handle to a running log.
#[derive(Debug, Clone)]
pub struct Logging {
    output: Output,
    filter: reload::Handle<Targets, Registry>,
}

impl Logging {
    /// Sets up the log of this process.
    ///
    /// # Errors
    ///
    /// The file cannot be opened, or the process has a log already.
    pub fn init(config: &Log) -> Result<Self, LogError> {
        let (subscriber, logging) = Self::subscriber(config)?;
        tracing::subscriber::set_global_default(subscriber).map_err(|_| LogError::Twice)?;
        Ok(logging)
    }

    fn subscriber(config: &Log) -> Result<(impl Subscriber + Send + Sync + use<>, Self), LogError> {
        let output = Output::new(Target::open(config.file.clone())?);
        let (filter, handle) = reload::Layer::new(targets(config.level));
        let lines = fmt::layer().with_ansi(false).with_writer(output.clone());
        let lines = match config.format {
            LogFormat::Text => lines.boxed(),
            LogFormat::Json => lines.json().flatten_event(true).with_span_list(false).boxed(),
        };
        let subscriber = tracing_subscriber::registry().with(filter).with(lines);
        Ok((subscriber, Self { output, filter: handle }))
    }

    /// Opens the file again, after another program has moved it. Queued lines still go to the old
    /// file.
    ///
    /// # Errors
    /// The file cannot be opened. Then the old file stays in use.
    /// The file cannot be opened; the old one stays in use then.
    pub fn reopen(&self) -> Result<(), LogError> {
        let path = self.output.target().path.clone();
        if path.is_some() {
            self.output.replace(Target::open(path)?);
        }
        Ok(())
    }

    /// The number of lines that were dropped since the start.
    pub fn dropped(&self) -> usize {
        self.output.target().dropped()
    }

    /// Writes the queued lines and ends the thread. Later lines are lost.
    pub fn close(&self) {
        let worker = self.output.0.write().worker.take();
        drop(worker);
    }

    /// Returns a guard that closes the log when it is dropped, so that a fatal error is written.
    #[must_use]
    pub fn close_on_drop(&self) -> LogGuard {
        LogGuard(self.clone())
    }

    /// Opens the file of another config, for [`Logging::apply`].
    ///
    /// # Errors
    ///
    /// The file cannot be opened.
    pub fn prepare(&self, config: &Log) -> Result<Prepared, LogError> {
        let is_same = self.output.target().path == config.file;
        let target = if is_same { None } else { Some(Target::open(config.file.clone())?) };
        Ok(Prepared { level: config.level, target })
    }

    /// Switches to another level and file. The format stays.
    pub fn apply(&self, prepared: Prepared) {
        if let Some(target) = prepared.target {
            self.output.replace(target);
        }
        if self.filter.reload(targets(prepared.level)).is_err() {
            tracing::warn!("the log level could not be changed");
        }
    }
}

/// Closes the log when it is dropped.
#[derive(Debug)]
pub struct LogGuard(Logging);

impl Drop for LogGuard {
    fn drop(&mut self) {
        self.0.close();
    }
}

/// A level and the open file, which is `None` if the file stays the same.
#[derive(Debug)]
pub struct Prepared {
    level: LogLevel,
    target: Option<Target>,
}

/// The filter for a level. Statements that sqlx logs at debug level are left out.
fn targets(level: LogLevel) -> Targets {
    let level = match level {
        LogLevel::Error => LevelFilter::ERROR,
        LogLevel::Warn => LevelFilter::WARN,
        LogLevel::Info => LevelFilter::INFO,
        LogLevel::Debug => LevelFilter::DEBUG,
        LogLevel::Trace => LevelFilter::TRACE,
    };
    Targets::new().with_default(level).with_target("sqlx", level.min(LevelFilter::WARN))
}

/// The current target of log lines.
#[derive(Debug, Clone)]
struct Output(Arc<RwLock<Target>>);

impl Output {
    fn new(target: Target) -> Self {
        Self(Arc::new(RwLock::new(target)))
    }

    fn target(&self) -> RwLockReadGuard<'_, Target> {
        self.0.read()
    }

    fn replace(&self, mut target: Target) {
        let mut current = self.0.write();
        target.dropped_before = current.dropped();
        let old = mem::replace(&mut *current, target);
        // Dropping the old target waits until its lines are written, so the lock is released first.
        drop(current);
        drop(old);
    }
}

/// Standard error or a file, with the thread that writes to it.
#[derive(Debug)]
struct Target {
    /// `None` for standard error.
    path: Option<PathBuf>,
    lines: NonBlocking,
    /// Writes the queued lines when it is dropped. `None` once the log is closed.
    worker: Option<WorkerGuard>,
    /// The lines that earlier targets dropped.
    dropped_before: usize,
}

impl Target {
    fn open(path: Option<PathBuf>) -> Result<Self, LogError> {
        match path {
            None => Ok(Self::new(None, io::stderr(), QUEUE)),
            Some(path) => {
                let file = open_file(&path)?;
                Ok(Self::new(Some(path), file, QUEUE))
            }
        }
    }

    fn new(path: Option<PathBuf>, writer: impl Write + Send + 'static, queue: usize) -> Self {
        let builder = NonBlockingBuilder::default().lossy(true).buffered_lines_limit(queue);
        let (lines, worker) = builder.thread_name("spondee-log").finish(writer);
        Self { path, lines, worker: Some(worker), dropped_before: 0 }
    }

    fn dropped(&self) -> usize {
        self.dropped_before.saturating_add(self.lines.error_counter().dropped_lines())
    }
}

fn open_file(path: &Path) -> Result<File, LogError> {
    let mut options = OpenOptions::new();
    options.append(true).create(true);
    // Other users must not read the log, which shows who communicates with whom.
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o640);
    options.open(path).map_err(|source| LogError::File { path: path.to_owned(), source })
}

/// Checks whether the log file can be opened, and makes none.
///
/// # Errors
///
/// The file, or its folder, cannot be written.
pub(crate) fn look(config: &Log) -> Result<(), LogError> {
    use rustix::fs::{Access, access};
    let Some(path) = &config.file else { return Ok(()) };
    let error = |source| LogError::File { path: path.clone(), source };
    if path.exists() {
        return OpenOptions::new().append(true).open(path).map(drop).map_err(error);
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    access(folder, Access::WRITE_OK | Access::EXEC_OK).map_err(|refused| error(refused.into()))
}

/// Queues lines. As long as this exists, the target is not replaced.
struct Lines<'a>(RwLockReadGuard<'a, Target>);

impl Write for Lines<'_> {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        // The formatter writes a line at once. A line feed within it is not the server's own.
        let text = String::from_utf8_lossy(line);
        let text = plain(text.strip_suffix('\n').unwrap_or(&text));
        let mut text = printable(&text, &[]).into_owned();
        text.push('\n');
        self.0.lines.clone().write_all(text.as_bytes())?;
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Output {
    type Writer = Lines<'a>;

    fn make_writer(&'a self) -> Lines<'a> {
        Lines(self.target())
    }
}
