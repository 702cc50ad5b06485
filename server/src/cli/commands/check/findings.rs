//! What was found.

use serde::Serialize;

/// How much something matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Level {
    /// Worth knowing.
    Note,
    /// It works, but not for everybody, or not for long.
    Warning,
    /// It does not work, or is dangerous.
    Error,
}

/// What it is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Subject {
    Config,
    Certificates,
    Ports,
    Dns,
    Storage,
}

/// One thing that was found; the fields of the JSON output.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Finding {
    pub(super) level: Level,
    pub(super) subject: Subject,
    pub(super) message: String,
    /// What to do about it, where the message does not say.
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

    /// What several hosts share is said once.
    fn push(&mut self, finding: Finding) {
        if !self.0.contains(&finding) {
            self.0.push(finding);
        }
    }
}
