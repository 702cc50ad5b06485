//! What an inspection found.

use serde::Serialize;

use crate::plain::plain;

/// The severity of a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Level {
    /// Worth knowing.
    Note,
    /// It works, but not for all clients, or not for long.
    Warning,
    /// It does not work, or is dangerous.
    Error,
}

/// The subject of a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Subject {
    Config,
    Certificates,
    Ports,
    Dns,
    Storage,
}

/// A finding; its fields are those of the JSON output.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Finding {
    pub(crate) level: Level,
    pub(crate) subject: Subject,
    pub(crate) message: String,
    /// The remedy, where the message does not name it.
    pub(crate) help: Option<String>,
}

/// What was found.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    pub(crate) all: Vec<Finding>,
    /// Whether one of them prevents the start, or the reload.
    pub(crate) is_refused: bool,
}

impl Finding {
    /// For a terminal, without the level.
    pub(crate) fn text(&self) -> String {
        let help = self.help.iter().map(|help| format!("\n  help: {help}")).collect::<String>();
        format!("{}{help}", self.message)
    }

    /// For a terminal.
    pub(crate) fn lines(&self) -> String {
        let label = match self.level {
            Level::Note => "",
            Level::Warning => "warning: ",
            Level::Error => "error: ",
        };
        format!("{label}{}\n", self.text())
    }
}

impl Findings {
    pub(crate) fn add(&mut self, level: Level, subject: Subject, message: impl Into<String>) {
        let message = message.into();
        // Errors of event-core have the message and the help in one text.
        match message.split_once("\n  help: ") {
            Some((message, help)) => self.push(level, subject, message, Some(help)),
            None => self.push(level, subject, &message, None),
        }
    }

    pub(crate) fn add_with_help(
        &mut self,
        level: Level,
        subject: Subject,
        message: impl AsRef<str>,
        help: impl AsRef<str>,
    ) {
        self.push(level, subject, message.as_ref(), Some(help.as_ref()));
    }

    /// Adds an error for which the server does not start.
    pub(crate) fn refuse(&mut self, subject: Subject, message: impl Into<String>) {
        self.is_refused = true;
        self.add(Level::Error, subject, message);
    }

    /// Adds an error for which the server does not start, and its remedy.
    pub(crate) fn refuse_with_help(
        &mut self,
        subject: Subject,
        message: impl AsRef<str>,
        help: impl AsRef<str>,
    ) {
        self.is_refused = true;
        self.add_with_help(Level::Error, subject, message, help);
    }

    pub(crate) fn append(&mut self, other: Self) {
        self.is_refused |= other.is_refused;
        self.all.extend(other.all);
    }

    /// Adds a finding once, however many hosts share it.
    fn push(&mut self, level: Level, subject: Subject, message: &str, help: Option<&str>) {
        let message = plain(message).into_owned();
        let help = help.map(|help| plain(help).into_owned());
        let finding = Finding { level, subject, message, help };
        if !self.all.contains(&finding) {
            self.all.push(finding);
        }
    }

    /// The texts of all errors, for the message of a start or reload that is refused.
    pub(crate) fn refusal(&self) -> String {
        let errors = self.all.iter().filter(|finding| finding.level == Level::Error);
        errors.map(Finding::text).collect::<Vec<_>>().join("\nerror: ")
    }

    /// The texts of the warnings and errors that do not prevent the start.
    pub(crate) fn warnings(&self) -> Vec<String> {
        let found = self.all.iter().filter(|finding| finding.level != Level::Note);
        found.map(Finding::text).collect()
    }

    /// Logs the warnings and errors that do not prevent the start.
    pub(crate) fn log(&self) {
        for Finding { level, message, help, .. } in &self.all {
            let help = help.as_deref();
            match level {
                Level::Note => {}
                Level::Warning => tracing::warn!(help, "{message}"),
                Level::Error => tracing::error!(help, "{message}"),
            }
        }
    }
}
