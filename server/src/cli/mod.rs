//! The command line.
//!
//! Account commands are executed here; the other commands are methods of [`Actions`].

mod args;
pub(crate) mod commands;
mod crate_name;
mod error;
pub(crate) mod output;
mod password;
#[cfg(test)]
mod tests;
mod user;

use std::ffi::OsString;
use std::io::{self, Write};

use clap::Parser;

use crate::{
    config::{Config, InvalidConfig},
    plain::{plain, printable},
};

pub use args::{
    CheckOptions, Cli, Command, HooksQuery, ModulesQuery, NewModule, PageOptions, UserCommand,
};
pub use crate_name::{CrateName, CrateNameError};
pub use error::CliError;
pub use password::{AskPassword, Terminal};
pub use user::{UserReply, UserRequest, perform};

/// Success.
pub const SUCCESS: u8 = 0;
/// An error was reported.
pub const FAILURE: u8 = 1;
/// The command line was wrong.
pub const USAGE: u8 = 2;

/// The commands that are not about accounts. Each returns the exit code.
pub trait Actions {
    /// Runs the server until it is told to stop. The config may be invalid, as in `check`.
    fn start(&self, config: Result<Config, InvalidConfig>) -> u8;
    /// Prints the dispatch table.
    fn hooks(&self, config: Config, query: &HooksQuery) -> u8;
    /// Prints the catalogue of events.
    fn events(&self, options: PageOptions) -> u8;
    /// Prints the modules of the binary.
    fn modules(&self, query: &ModulesQuery) -> u8;
    /// Prints the keys of the config.
    fn config_keys(&self, options: PageOptions) -> u8;
    /// Reports problems of config, certificates, ports, DNS and storage. The config may itself have
    /// errors.
    fn check(&self, config: Result<Config, InvalidConfig>, options: CheckOptions) -> u8;
    /// Makes a crate with a module.
    fn new_module(&self, request: &NewModule) -> u8;
    /// Makes the running server read its config again.
    fn reload(&self, config: Config) -> u8;
    /// Sends an account command to the server that runs on this data folder. Returns the command if
    /// no such server runs.
    fn user(
        &self,
        _config: &Config,
        request: UserRequest,
    ) -> Result<Result<UserReply, CliError>, UserRequest> {
        Err(request)
    }
}

/// Runs a command line and gives the exit code of the process.
pub fn run(args: impl IntoIterator<Item = OsString>, actions: &dyn Actions) -> u8 {
    let (mut out, mut err) = (io::stdout(), io::stderr());
    run_with(args, actions, &mut Terminal, &mut out, &mut err)
}

fn run_with(
    args: impl IntoIterator<Item = OsString>,
    actions: &dyn Actions,
    ask: &mut dyn AskPassword,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> u8 {
    let cli = match Cli::try_parse_from(args) {
        Ok(cli) => cli,
        Err(error) => {
            // clap returns help and version as errors; they belong on standard output.
            if !error.use_stderr() {
                print(out, error.render());
                return SUCCESS;
            }
            print(err, error.render());
            return USAGE;
        }
    };
    match dispatch(cli, actions, ask) {
        Ok(Done::Code(code)) => code,
        Ok(Done::User(reply)) => {
            reply.lines.iter().for_each(|line| print(out, format_args!("{line}\n")));
            reply.problems.iter().for_each(|line| print(err, format_args!("{line}\n")));
            if reply.problems.is_empty() { SUCCESS } else { FAILURE }
        }
        Err(error) => {
            print(err, format_args!("error: {error}\n"));
            FAILURE
        }
    }
}

enum Done {
    Code(u8),
    User(UserReply),
}

fn dispatch(cli: Cli, actions: &dyn Actions, ask: &mut dyn AskPassword) -> Result<Done, CliError> {
    let load = || {
        let mut config = Config::load(cli.config.as_deref())?;
        if let Some(data) = &cli.data {
            config.data.clone_from(data);
            config.data_is_given = true;
        }
        Ok::<_, InvalidConfig>(config)
    };
    Ok(match cli.command {
        None => Done::Code(match load() {
            // `start` also checks the modules' options, as far as the config can be read.
            Err(invalid) if invalid.rest.is_none() => return Err(invalid.into()),
            config => actions.start(config),
        }),
        Some(Command::Reload) => Done::Code(actions.reload(load()?)),
        Some(Command::Hooks(query)) => Done::Code(actions.hooks(load()?, &query)),
        Some(Command::Events(options)) => Done::Code(actions.events(options)),
        Some(Command::Modules(query)) => Done::Code(actions.modules(&query)),
        Some(Command::ConfigKeys(options)) => Done::Code(actions.config_keys(options)),
        Some(Command::NewModule(request)) => Done::Code(actions.new_module(&request)),
        Some(Command::Check(options)) => Done::Code(actions.check(load(), options)),
        Some(Command::User { command }) => {
            let config = load()?;
            let request = UserRequest::from_command(command, &config, ask)?;
            Done::User(match actions.user(&config, request) {
                Ok(reply) => reply?,
                Err(request) => user::perform_alone(request, &config)?,
            })
        }
    })
}

/// Prints. A closed pipe (`| head`) is not an error.
fn print(to: &mut dyn Write, text: impl std::fmt::Display) {
    let _ = write!(to, "{}", printable(&plain(&text.to_string()), &['\n']));
}
