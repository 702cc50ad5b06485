//! Imports many accounts from lines of `jid,password`.
//!
//! Hashing takes most of the time. It runs on every processor while batches are written.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read};
use std::num::NonZero;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use jid::BareJid;
use tokio::sync::mpsc;
use zeroize::Zeroizing;

use super::{AccountStore, AccountStoreError, KEY, name, partition, record};
use crate::storage::{StorageError, Write};

/// The number of accounts written in one transaction.
const BATCH: usize = 500;

/// The result of an import.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ImportReport {
    /// The number of accounts that were made.
    pub imported: usize,
    /// The lines for which no account was made, in order.
    pub problems: Vec<ImportProblem>,
}

/// A line for which no account was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportProblem {
    /// The line, counted from 1.
    pub line: u64,
    /// What is wrong with the line. Does not contain the password.
    pub message: String,
}

struct Line {
    number: u64,
    jid: BareJid,
    password: Zeroizing<String>,
}

struct Hashed {
    number: u64,
    jid: BareJid,
    record: Result<Vec<u8>, AccountStoreError>,
}

impl AccountStore {
    /// Makes an account for each valid line of a CSV list. `has_host` tells which domains have
    /// accounts. A first line `jid,password` is skipped.
    ///
    /// # Errors
    ///
    /// The list cannot be read, or storage fails. What is wrong with a line is in the report.
    pub async fn import(
        &self,
        list: impl Read,
        has_host: impl Fn(&str) -> bool,
    ) -> Result<ImportReport, AccountStoreError> {
        let mut report = ImportReport::default();
        let lines = self.new_accounts(read(list, has_host, &mut report)?, &mut report).await?;
        let iterations = self.iterations;
        let (sender, mut hashed) = mpsc::channel(BATCH);
        let hashing = tokio::task::spawn_blocking(move || hash_all(&lines, iterations, &sender));
        let mut batch = Vec::with_capacity(BATCH);
        loop {
            // Each write waits for the disk, so only the last batch may be smaller than `BATCH`.
            let wanted = BATCH - batch.len();
            let received = hashed.recv_many(&mut batch, wanted).await;
            if batch.len() == BATCH || (received == 0 && !batch.is_empty()) {
                self.write_batch(std::mem::take(&mut batch), &mut report).await?;
            } else if received == 0 {
                break;
            }
        }
        hashing.await.map_err(|_| AccountStoreError::Task)?;
        report.problems.sort_by_key(|problem| problem.line);
        Ok(report)
    }

    /// Returns the lines whose accounts do not exist yet, and reports the others.
    async fn new_accounts(
        &self,
        lines: Vec<Line>,
        report: &mut ImportReport,
    ) -> Result<Vec<Line>, AccountStoreError> {
        let mut new = Vec::with_capacity(lines.len());
        for line in lines {
            if self.exists(&line.jid).await? {
                report.add(line.number, AccountStoreError::Exists(line.jid));
            } else {
                new.push(line);
            }
        }
        Ok(new)
    }

    async fn write_batch(
        &self,
        mut batch: Vec<Hashed>,
        report: &mut ImportReport,
    ) -> Result<(), AccountStoreError> {
        while !batch.is_empty() {
            let mut writes = Vec::with_capacity(batch.len());
            for Hashed { jid, record, .. } in &mut batch {
                let record = record.as_ref().map_err(|_| AccountStoreError::Random)?;
                writes.push(Write::create(partition(jid)?, KEY, record.clone()));
            }
            match self.storage.write(writes).await {
                Ok(_) => {
                    report.imported += batch.len();
                    return Ok(());
                }
                // The account was made meanwhile. The next attempt writes the others.
                Err(StorageError::Exists(taken)) => {
                    batch.retain(|Hashed { number, jid, .. }| {
                        let same = jid.domain().as_str() == taken.host
                            && jid.node().is_some_and(|name| name.as_str() == taken.owner);
                        if same {
                            report.add(*number, AccountStoreError::Exists(jid.clone()));
                        }
                        !same
                    });
                }
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }
}

impl ImportReport {
    fn add(&mut self, line: u64, message: impl ToString) {
        self.problems.push(ImportProblem { line, message: message.to_string() });
    }
}

fn read(
    list: impl Read,
    has_host: impl Fn(&str) -> bool,
    report: &mut ImportReport,
) -> Result<Vec<Line>, AccountStoreError> {
    let mut lines = Vec::new();
    let mut seen = HashMap::new();
    for (text, number) in BufReader::new(list).split(b'\n').zip(1..) {
        let text = Zeroizing::new(text?);
        let text = without_end(&text);
        if text.trim_ascii().is_empty() || (number == 1 && text.trim_ascii_end() == b"jid,password")
        {
            continue;
        }
        match read_line(text, &has_host) {
            Ok((jid, password)) => match seen.get(&jid) {
                Some(other) => report.add(number, format!("{jid} is in line {other} already")),
                None => {
                    seen.insert(jid.clone(), number);
                    lines.push(Line { number, jid, password });
                }
            },
            Err(message) => report.add(number, message),
        }
    }
    Ok(lines)
}

/// A line without its end. Blanks are part of a password, unless it is in quotes.
fn without_end(line: &[u8]) -> &[u8] {
    let text = line.strip_suffix(b"\r").unwrap_or(line);
    let is_quoted = text.windows(2).any(|pair| pair == b",\"");
    match text.trim_ascii_end() {
        trimmed if is_quoted && trimmed.ends_with(b"\"") => trimmed,
        _ => text,
    }
}

/// Parses one line alone, because an unclosed quote would extend over the lines after it.
fn read_line(
    text: &[u8],
    has_host: impl Fn(&str) -> bool,
) -> Result<(BareJid, Zeroizing<String>), String> {
    let quoted = text.contains(&b'"') && !text.ends_with(b"\"");
    if quoted && text.windows(2).any(|pair| pair == b",\"") {
        return Err("a quote is not closed at the end of the line".to_owned());
    }
    let mut reader = csv::ReaderBuilder::new();
    reader.has_headers(false).flexible(true).buffer_capacity(text.len() + 1);
    let mut fields = csv::ByteRecord::new();
    let read = reader.from_reader(text).read_byte_record(&mut fields);
    read.map_err(|error| error.to_string())?;
    let (Some(jid), Some(password), None) = (fields.get(0), fields.get(1), fields.get(2)) else {
        return Err(format!("expected jid,password, found {} field(s)", fields.len()));
    };
    let (Ok(jid), Ok(password)) = (std::str::from_utf8(jid), std::str::from_utf8(password)) else {
        return Err("the line is not UTF-8".to_owned());
    };
    let bare =
        BareJid::new(jid.trim()).map_err(|error| format!("\"{jid}\" is not a JID: {error}"))?;
    name(&bare).map_err(|error| error.to_string())?;
    if !has_host(bare.domain().as_str()) {
        return Err(format!("the host {} is not in the config", bare.domain()));
    }
    let password = record::prepare(password).map_err(|error| error.to_string())?;
    Ok((bare, password))
}

/// Hashes on every processor, until all lines are done or the receiver is dropped.
fn hash_all(lines: &[Line], iterations: u32, results: &mpsc::Sender<Hashed>) {
    let next = AtomicUsize::new(0);
    let work = || {
        while let Some(line) = lines.get(next.fetch_add(1, Ordering::Relaxed)) {
            let record = record::make(&line.password, iterations);
            let hashed = Hashed { number: line.number, jid: line.jid.clone(), record };
            if results.blocking_send(hashed).is_err() {
                return;
            }
        }
    };
    let threads = thread::available_parallelism().map_or(1, NonZero::get);
    thread::scope(|scope| {
        for _ in 1..threads {
            scope.spawn(work);
        }
        work();
    });
}
