//! What was found.

use serde::Serialize;

/// The severity of a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Level {
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
pub(super) enum Subject {
    Config,
    Certificates,
    Ports,
    Dns,
    Storage,
}

/// A finding; its fields are those of the JSON output.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Finding {
    pub(super) level: Level,
    pub(super) subject: Subject,
    pub(super) message: String,
    /// The remedy, where the message does not name it.
    pub(super) help: Option<String>,
}

/// What was found.
#[derive(Debug, Default)]
pub(super) struct Findings(pub(super) Vec<Finding>);

impl Finding {
    pub(super) fn lines(&self) -> String {
        let label = match self.level {
            Level::Note => "",
            Level::Warning => "warning: ",
            Level::Error => "error: ",
        };
        let help = self.help.iter().map(|help| format!("  help: {help}\n")).collect::<String>();
        format!("{label}{}\n{help}", self.message)
    }
}

impl Findings {
    pub(super) fn add(&mut self, level: Level, subject: Subject, message: impl Into<String>) {
        self.push(Finding { level, subject, message: message.into(), help: None });
    }

    pub(super) fn add_with_help(
        &mut self,
        level: Level,
        subject: Subject,
        message: impl Into<String>,
        help: impl Into<String>,
    ) {
        self.push(Finding { level, subject, message: message.into(), help: Some(help.into()) });
    }

    /// Adds a finding once, however many hosts share it.
    fn push(&mut self, finding: Finding) {
        if !self.0.contains(&finding) {
            self.0.push(finding);
        }
    }
}
