//! The commands that need modules or print pages: `start`, `hooks`, `events`, `modules`,
//! `config-keys`, `check` and `new-module`.

mod check;
mod config_keys;
mod events;
mod hooks;
mod load;
mod modules;
mod new_module;
mod unknown;

use event_core::Bundle;

use crate::{
    cli::{
        Actions, CheckOptions, CliError, FAILURE, HooksQuery, ModulesQuery, NewModule, PageOptions,
        SUCCESS, UserReply, UserRequest,
    },
    config::{Config, InvalidConfig},
    control::client,
    plain::{plain, printable},
    run,
};

/// The commands of a binary with the modules of these bundles.
#[derive(Debug)]
pub(crate) struct Commands<'a> {
    bundles: &'a [Bundle],
}

impl<'a> Commands<'a> {
    pub(crate) fn new(bundles: &'a [Bundle]) -> Self {
        Self { bundles }
    }
}

impl Actions for Commands<'_> {
    fn start(&self, config: Result<Config, InvalidConfig>) -> u8 {
        code(run::run(config, self.bundles))
    }

    fn hooks(&self, config: Config, query: &HooksQuery) -> u8 {
        code(hooks::print(&config, self.bundles, query))
    }

    fn events(&self, options: PageOptions) -> u8 {
        events::print(options);
        SUCCESS
    }

    fn modules(&self, query: &ModulesQuery) -> u8 {
        code(modules::print(self.bundles, query))
    }

    fn config_keys(&self, options: PageOptions) -> u8 {
        config_keys::print(options);
        SUCCESS
    }

    fn check(&self, config: Result<Config, InvalidConfig>, options: CheckOptions) -> u8 {
        check::print(config, self.bundles, options)
    }

    fn new_module(&self, request: &NewModule) -> u8 {
        code(new_module::make(request, self.bundles))
    }

    fn reload(&self, config: Config) -> u8 {
        code(client::reload(&config.data))
    }

    fn user(
        &self,
        config: &Config,
        request: UserRequest,
    ) -> Result<Result<UserReply, CliError>, UserRequest> {
        client::user(&config.data, request)
    }
}

fn code<E: std::fmt::Display>(outcome: Result<(), E>) -> u8 {
    match outcome {
        Ok(()) => SUCCESS,
        Err(error) => {
            eprintln!("error: {}", printable(&plain(&error.to_string()), &['\n']));
            FAILURE
        }
    }
}
