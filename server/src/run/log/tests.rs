use std::fs;

use super::*;

fn log(format: LogFormat, work: impl FnOnce(&Logging, &Path)) -> String {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("spondee.log");
    let config = Log { format, level: LogLevel::Info, file: Some(path.clone()) };
    let (subscriber, logging) = Logging::subscriber(&config).unwrap();
    tracing::subscriber::with_default(subscriber, || work(&logging, &path));
    logging.close();
    fs::read_to_string(path).unwrap()
}

#[test]
fn text_is_one_line_each() {
    let text = log(LogFormat::Text, |_, _| {
        tracing::info!(host = "example.com", "started");
        tracing::debug!("hidden");
    });
    assert_eq!(text.lines().count(), 1);
    assert!(text.ends_with("INFO spondee::run::log::tests: started host=\"example.com\"\n"));
}

#[test]
fn nobody_forges_a_line() {
    let hidden: String = ('\0'..' ')
        .chain('\x7F'..='\u{9F}')
        .chain("\u{61C}\u{200E}\u{200F}\u{2028}\u{2029}".chars())
        .chain(('\u{202A}'..='\u{202E}').chain('\u{2066}'..='\u{2069}'))
        .collect();
    let forged = format!("refused\n1970-01-01T00:00:00Z ERROR forged{hidden}");
    for format in [LogFormat::Text, LogFormat::Json] {
        let text = log(format, |_, _| {
            tracing::info!(reason = %forged, other = forged, debug = ?forged, "{forged}");
        });
        let line = text.strip_suffix('\n').unwrap();
        let odd = line.chars().find(|c| !(' '..'\x7F').contains(c));
        assert_eq!(odd, None, "{line}");
        if format == LogFormat::Json {
            let parsed: serde_json::Value = serde_json::from_str(line).unwrap();
            assert_eq!(parsed["reason"], forged);
        }
    }
}

#[test]
fn errors_of_the_system_have_no_number() {
    for format in [LogFormat::Text, LogFormat::Json] {
        let text = log(format, |_, _| {
            let error = io::Error::from_raw_os_error(17);
            tracing::info!(%error, "not made");
        });
        assert!(text.contains("File exists") && !text.contains("os error"), "{text}");
        assert!(text.ends_with('\n'), "{text}");
    }
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
        // Waits until the queued lines are written.
        logging.reopen().unwrap();
        assert!(fs::read_to_string(other).unwrap().ends_with("two\n"));
        let nowhere = Log { file: Some(path.join("no/such.log")), ..Log::default() };
        assert!(logging.prepare(&nowhere).is_err());
    });
    assert!(text.contains("one") && !text.contains("two"), "{text}");
}

#[test]
fn lines_that_find_no_room_are_counted() {
    /// Writes nothing until the sender is dropped.
    struct Blocked(std::sync::mpsc::Receiver<()>);

    impl Write for Blocked {
        fn write(&mut self, line: &[u8]) -> io::Result<usize> {
            let _ = self.0.recv();
            Ok(line.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    let (blocking, blocked) = std::sync::mpsc::channel();
    let output = Output::new(Target::new(None, Blocked(blocked), 1));
    for _ in 0..10 {
        output.make_writer().write_all(b"line\n").unwrap();
    }
    let dropped = output.target().dropped();
    assert!(dropped >= 8, "at least 8 of 10 lines are dropped: {dropped}");
    drop(blocking);
    output.replace(Target::new(None, io::sink(), 1));
    assert_eq!(output.target().dropped(), dropped, "the new target keeps the count");
}

#[test]
fn a_file_that_cannot_be_opened() {
    let folder = tempfile::tempdir().unwrap();
    let config = Log { file: Some(folder.path().join("no/such.log")), ..Log::default() };
    let error = Logging::subscriber(&config).err().unwrap();
    assert!(error.to_string().starts_with("cannot open the log file "), "{error}");
    assert_eq!(look(&config).unwrap_err().to_string(), error.to_string());
    let config = Log { file: Some(folder.path().join("not-yet.log")), ..Log::default() };
    look(&config).unwrap();
    assert!(!folder.path().join("not-yet.log").exists());
}
