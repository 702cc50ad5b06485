//! The commands and their options.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use jid::BareJid;

/// The Spondee XMPP server. Without a command it starts.
#[derive(Debug, Clone, PartialEq, Eq, Parser)]
#[command(name = "spondee", version)]
pub struct Cli {
    /// The config file [default: spondee.toml, if there is one]
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// The data folder, instead of the config's
    #[arg(long, global = true, value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// What to do.
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// A command.
#[derive(Debug, Clone, PartialEq, Eq, Subcommand)]
pub enum Command {
    /// Manage accounts
    User {
        /// What to do with them.
        #[command(subcommand)]
        command: UserCommand,
    },
    /// Have the running server read its config again, and say what changed
    Reload,
    /// Show which handlers run on which event, in order
    Hooks(HooksQuery),
    /// Show the catalogue of events
    Events {
        /// As JSON
        #[arg(long, conflicts_with = "markdown")]
        json: bool,
        /// As Markdown
        #[arg(long)]
        markdown: bool,
    },
    /// Say what is wrong with config, certificates, ports, DNS and storage, and how to mend it
    ///
    /// Exit codes: 0 when there is no error (there may be warnings), 1 when there is one, 2 when
    /// the command line is wrong.
    Check(CheckOptions),
}

/// A command about accounts.
#[derive(Debug, Clone, PartialEq, Eq, Subcommand)]
pub enum UserCommand {
    /// Make an account
    Add {
        /// Its address (user@host)
        #[arg(value_parser = account)]
        jid: BareJid,
        /// Read the password from standard input, up to the end of the line
        #[arg(long)]
        password_stdin: bool,
    },
    /// List the accounts
    List {
        /// Of this host only
        #[arg(value_name = "HOST")]
        host: Option<String>,
    },
    /// Remove an account and everything kept for it
    Remove {
        /// Its address (user@host)
        #[arg(value_parser = account)]
        jid: BareJid,
    },
    /// Change the password of an account
    Passwd {
        /// Its address (user@host)
        #[arg(value_parser = account)]
        jid: BareJid,
        /// Read the password from standard input, up to the end of the line
        #[arg(long)]
        password_stdin: bool,
    },
    /// Make many accounts
    Import {
        /// Lines of jid,password (CSV); - reads standard input
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
}

/// Which handlers to show, and how.
#[derive(Debug, Clone, Default, PartialEq, Eq, Args)]
pub struct HooksQuery {
    /// Those of this host only
    #[arg(long, value_name = "H")]
    pub host: Option<String>,
    /// Those on this event only
    #[arg(long, value_name = "NAME")]
    pub event: Option<String>,
    /// Those of this module only
    #[arg(long, value_name = "M")]
    pub module: Option<String>,
    /// As JSON
    #[arg(long)]
    pub json: bool,
}

/// How to show what was found.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Args)]
pub struct CheckOptions {
    /// As JSON: a list of objects with level (note, warning, error), subject (config,
    /// certificates, ports, dns, storage), message and help (text or null)
    #[arg(long)]
    pub json: bool,
}

/// How to show the catalogue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EventsFormat {
    /// For a terminal.
    Text,
    /// JSON.
    Json,
    /// Markdown.
    Markdown,
}

impl EventsFormat {
    pub(super) fn from_flags(json: bool, markdown: bool) -> Self {
        match (json, markdown) {
            (true, _) => Self::Json,
            (_, true) => Self::Markdown,
            _ => Self::Text,
        }
    }
}

fn account(text: &str) -> Result<BareJid, String> {
    let jid = BareJid::new(text).map_err(|error| error.to_string())?;
    if jid.node().is_none() {
        return Err("expected user@host".to_owned());
    }
    Ok(jid)
}
