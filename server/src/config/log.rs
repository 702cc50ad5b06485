//! `[log]`.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::table::config_table;

config_table! {
    /// The log.
    #[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
    #[serde(deny_unknown_fields, default)]
    pub struct Log {
        /// The format of a line.
        pub format: LogFormat,
        /// The least important level that is written.
        pub level: LogLevel,
        /// The file that is written; a reload opens it again. Default: standard error.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub file: Option<PathBuf>,
    }
}

/// The format of log lines.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// Plain text.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

/// The levels, most important first.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogLevel {
    /// A fault an operator must act on.
    Error,
    /// A problem an operator should look at.
    Warn,
    /// Normal operation.
    #[default]
    Info,
    /// Internal steps.
    Debug,
    /// Everything.
    Trace,
}
