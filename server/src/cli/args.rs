//! The commands and their options.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use jid::BareJid;

use crate::cli::CrateName;

/// The Spondee XMPP server. Without a command, the server starts.
#[derive(Debug, Clone, PartialEq, Eq, Parser)]
#[command(name = "spondee", version)]
pub struct Cli {
    /// The config file [default: spondee.toml, if there is one]
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// The data folder, instead of the one in the config
    #[arg(long, global = true, value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// The command.
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// A command.
#[derive(Debug, Clone, PartialEq, Eq, Subcommand)]
pub enum Command {
    /// Manage accounts
    User {
        /// The command about accounts.
        #[command(subcommand)]
        command: UserCommand,
    },
    /// Make the running server read its config again, and print what changed
    Reload,
    /// Show which handlers run on which event, in order
    Hooks(HooksQuery),
    /// Show the catalogue of events
    Events(PageOptions),
    /// Show the modules of this binary, with their options and what they fire and need
    Modules(ModulesQuery),
    /// Show the keys of the config; without an option, as a config file with all defaults
    ConfigKeys(PageOptions),
    /// Report problems of config, certificates, ports, DNS and storage, and how to solve them
    ///
    /// Exit codes: 0 without errors (there may be warnings), 1 with errors, 2 if the command line
    /// is wrong.
    Check(CheckOptions),
    /// Make a crate with a module of your own, its tests, and a server that runs it
    NewModule(NewModule),
}

/// A command about accounts.
#[derive(Debug, Clone, PartialEq, Eq, Subcommand)]
pub enum UserCommand {
    /// Make an account
    Add {
        /// The address of the account (user@host)
        #[arg(value_parser = account)]
        jid: BareJid,
        /// Read the password from standard input, up to the end of the line
        #[arg(long)]
        password_stdin: bool,
    },
    /// List the accounts
    List {
        /// Only the accounts of this host
        #[arg(value_name = "HOST")]
        host: Option<String>,
    },
    /// Remove an account and all its data
    Remove {
        /// The address of the account (user@host)
        #[arg(value_parser = account)]
        jid: BareJid,
    },
    /// Change the password of an account
    Passwd {
        /// The address of the account (user@host)
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
    /// Only the handlers of this host
    #[arg(long, value_name = "H")]
    pub host: Option<String>,
    /// Only the handlers of this event
    #[arg(long, value_name = "NAME")]
    pub event: Option<String>,
    /// Only the handlers of this module
    #[arg(long, value_name = "M")]
    pub module: Option<String>,
    /// As JSON
    #[arg(long)]
    pub json: bool,
}

/// The arguments of `new-module`.
#[derive(Debug, Clone, PartialEq, Eq, Args)]
pub struct NewModule {
    /// The name of the crate, such as sticky-note
    pub name: CrateName,
    /// The folder to make [default: NAME]
    #[arg(long, value_name = "DIR")]
    pub dir: Option<PathBuf>,
    /// The checkout of Spondee to depend on [default: the one this binary was built from]
    #[arg(long, value_name = "PATH")]
    pub spondee: Option<PathBuf>,
}

/// The output of `check`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Args)]
pub struct CheckOptions {
    /// As JSON: a list of objects with level (note, warning, error), subject (config,
    /// certificates, ports, dns, storage), message and help (text or null)
    #[arg(long)]
    pub json: bool,
}

/// Which modules to show, and how.
#[derive(Debug, Clone, Default, PartialEq, Eq, Args)]
pub struct ModulesQuery {
    /// Those of this crate only
    #[arg(long = "crate", value_name = "CRATE")]
    pub crate_name: Option<String>,
    /// The form.
    #[command(flatten)]
    pub page: PageOptions,
}

/// How to show a page of the documentation; without a flag, for a terminal.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Args)]
pub struct PageOptions {
    /// As JSON
    #[arg(long, conflicts_with = "markdown")]
    pub json: bool,
    /// As Markdown
    #[arg(long)]
    pub markdown: bool,
}

fn account(text: &str) -> Result<BareJid, String> {
    let jid = BareJid::new(text).map_err(|error| error.to_string())?;
    if jid.node().is_none() {
        return Err("expected user@host".to_owned());
    }
    Ok(jid)
}
