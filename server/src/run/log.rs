//! The log: one line for each thing that happens, for people or as JSON.
//!
//! The level and the file can be changed while the server runs, as rotating logs needs.

use std::fs::{File, OpenOptions};

use parking_lot::{Mutex, MutexGuard};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use thiserror::Error;
use tracing::Subscriber;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::{Layer, Registry, fmt, reload};

use crate::config::{Log, LogFormat, LogLevel};

/// Why there is no log.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum LogError {
    /// The file cannot be opened.
    #[error("cannot open the log file {}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Something else in this process logs already.
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
    /// The file cannot be opened, or there is a log already.
    pub fn init(config: &Log) -> Result<Self, LogError> {
        let (subscriber, logging) = Self::subscriber(config)?;
        tracing::subscriber::set_global_default(subscriber).map_err(|_| LogError::Twice)?;
        Ok(logging)
    }

    fn subscriber(config: &Log) -> Result<(impl Subscriber + Send + Sync + use<>, Self), LogError> {
        let output = Output::open(config.file.as_deref())?;
        let (filter, handle) = reload::Layer::new(targets(config.level));
        let lines = fmt::layer().with_ansi(false).with_writer(output.clone());
        let lines = match config.format {
            LogFormat::Text => lines.boxed(),
            LogFormat::Json => lines.json().flatten_event(true).with_span_list(false).boxed(),
        };
        let subscriber = tracing_subscriber::registry().with(filter).with(lines);
        Ok((subscriber, Self { output, filter: handle }))
    }

    /// Opens the file again, after something else has moved it away.
    ///
    /// # Errors
    ///
    /// It cannot be opened; the old one stays in use then.
    pub fn reopen(&self) -> Result<(), LogError> {
        self.output.reopen()
    }

    /// Opens what another config asks for, for [`Logging::apply`].
    ///
    /// # Errors
    ///
    /// The file cannot be opened.
    pub fn prepare(&self, config: &Log) -> Result<Prepared, LogError> {
        let file = config.file.as_deref().map(LogFile::open).transpose()?;
        Ok(Prepared { level: config.level, file })
    }

    /// Goes on with another level and file. The format stays.
    pub fn apply(&self, prepared: Prepared) {
        *self.output.file() = prepared.file;
        if self.filter.reload(targets(prepared.level)).is_err() {
            tracing::warn!("the log level could not be changed");
        }
    }
}

/// A level, and a file that is open.
#[derive(Debug)]
pub struct Prepared {
    level: LogLevel,
    file: Option<LogFile>,
}

/// What passes at a level. The database library tells of each statement at debug level, which
/// would bury all else.
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

/// Where lines go: standard error, or a file.
#[derive(Debug, Clone)]
struct Output(Arc<Mutex<Option<LogFile>>>);

#[derive(Debug)]
struct LogFile {
    path: PathBuf,
    file: File,
}

impl LogFile {
    fn open(path: &Path) -> Result<Self, LogError> {
        Ok(Self { path: path.to_owned(), file: open_file(path)? })
    }
}

impl Output {
    fn open(path: Option<&Path>) -> Result<Self, LogError> {
        Ok(Self(Arc::new(Mutex::new(path.map(LogFile::open).transpose()?))))
    }

    fn file(&self) -> MutexGuard<'_, Option<LogFile>> {
        self.0.lock()
    }

    fn reopen(&self) -> Result<(), LogError> {
        if let Some(log) = &mut *self.file() {
            log.file = open_file(&log.path)?;
        }
        Ok(())
    }
}

fn open_file(path: &Path) -> Result<File, LogError> {
    let mut options = OpenOptions::new();
    options.append(true).create(true);
    // Who talks to whom is nobody's business but the operator's.
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o640);
    options.open(path).map_err(|source| LogError::File { path: path.to_owned(), source })
}

impl Write for Output {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        match &mut *self.file() {
            None => io::stderr().write(line),
            Some(log) => log.file.write(line),
        }
    }

    fn write_all(&mut self, line: &[u8]) -> io::Result<()> {
        // Under one lock, so that lines of two threads do not mix.
        match &mut *self.file() {
            None => io::stderr().write_all(line),
            Some(log) => log.file.write_all(line),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Output {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn log(format: LogFormat, work: impl FnOnce(&Logging, &Path)) -> String {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("spondee.log");
        let config = Log { format, level: LogLevel::Info, file: Some(path.clone()) };
        let (subscriber, logging) = Logging::subscriber(&config).unwrap();
        tracing::subscriber::with_default(subscriber, || work(&logging, &path));
        fs::read_to_string(path).unwrap()
    }

    #[test]
    fn text_is_one_line_each() {
        let text = log(LogFormat::Text, |_, _| {
            tracing::info!(host = "example.com", "started");
            tracing::debug!("hidden");
        });
        assert_eq!(text.lines().count(), 1);
        assert!(text.ends_with("INFO spondee::log::tests: started host=\"example.com\"\n"));
    }

    #[test]
    fn json_is_one_object_each() {
        let text = log(LogFormat::Json, |_, _| {
            tracing::warn!(port = 5222, "in use");
        });
        assert_eq!(text.lines().count(), 1);
        assert!(text.starts_with('{') && text.ends_with("}\n"), "{text}");
        assert!(text.contains("\"level\":\"WARN\"") && text.contains("\"port\":5222"), "{text}");
    }

    #[test]
    fn the_level_changes_and_the_file_is_reopened() {
        let text = log(LogFormat::Text, |logging, path| {
            tracing::info!("one");
            fs::rename(path, path.with_extension("old")).unwrap();
            tracing::info!("two");
            logging.reopen().unwrap();
            let log = |level| Log { level, file: Some(path.to_owned()), ..Log::default() };
            let set = |level| logging.apply(logging.prepare(&log(level)).unwrap());
            set(LogLevel::Debug);
            tracing::debug!("three");
            tracing::debug!(target: "sqlx::query", "hidden");
            set(LogLevel::Error);
            tracing::warn!("hidden");
        });
        assert_eq!(text.lines().count(), 1);
        assert!(text.contains("three"));
    }

    #[test]
    fn another_file_is_written_once_it_is_applied() {
        let text = log(LogFormat::Text, |logging, path| {
            let other = path.with_extension("other");
            let config = Log { file: Some(other.clone()), ..Log::default() };
            let prepared = logging.prepare(&config).unwrap();
            tracing::info!("one");
            logging.apply(prepared);
            tracing::info!("two");
            assert!(fs::read_to_string(other).unwrap().ends_with("two\n"));
            let nowhere = Log { file: Some(path.join("no/such.log")), ..Log::default() };
            assert!(logging.prepare(&nowhere).is_err());
        });
        assert!(text.contains("one") && !text.contains("two"), "{text}");
    }

    #[test]
    fn a_file_that_cannot_be_opened() {
        let folder = tempfile::tempdir().unwrap();
        let config = Log { file: Some(folder.path().join("no/such.log")), ..Log::default() };
        let error = Logging::subscriber(&config).err().unwrap();
        assert!(error.to_string().starts_with("cannot open the log file "), "{error}");
    }
}
