//! The Spondee server with its bundled modules.

use std::process::ExitCode;

use spondee::cli::{self, Actions, EventsFormat, HooksQuery};
use spondee::config::{Config, ConfigError};

fn main() -> ExitCode {
    cli::run(std::env::args_os(), &AccountsOnly).into()
}

// FIXME: the runtime takes this place; so far only the accounts' commands do something.
struct AccountsOnly;

impl Actions for AccountsOnly {
    fn start(&self, _config: Config) -> u8 {
        missing()
    }

    fn hooks(&self, _config: Config, _query: &HooksQuery) -> u8 {
        missing()
    }

    fn events(&self, _format: EventsFormat) -> u8 {
        missing()
    }

    fn check(&self, _config: Result<Config, ConfigError>) -> u8 {
        missing()
    }
}

fn missing() -> u8 {
    eprintln!("error: not in this build yet");
    cli::FAILURE
}
