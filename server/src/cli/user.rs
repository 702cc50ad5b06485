//! Account commands. A running server executes them; without a server, this process does.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::sync::Arc;

use event_core::{Core, services};
use jid::{BareJid, DomainPart};
use zeroize::Zeroizing;

use super::{AskPassword, CliError, UserCommand};
use crate::accounts::{AccountStore, AccountStoreError};
use crate::config::Config;
use crate::storage::Database;

/// An account command with all its data, checked against the config.
#[derive(Clone, PartialEq, Eq)]
pub enum UserRequest {
    /// Make an account.
    Add(BareJid, Zeroizing<String>),
    /// List the accounts of these hosts.
    List(Vec<String>),
    /// Remove an account.
    Remove(BareJid),
    /// Change a password.
    Passwd(BareJid, Zeroizing<String>),
    /// Make the accounts of a list.
    Import(Zeroizing<Vec<u8>>),
}

/// The result of an account command.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UserReply {
    /// For standard output.
    pub lines: Vec<String>,
    /// For standard error; if there are any, the command has failed at least in part.
    pub problems: Vec<String>,
}

impl UserRequest {
    pub(super) fn from_command(
        command: UserCommand,
        config: &Config,
        ask: &mut dyn AskPassword,
    ) -> Result<Self, CliError> {
        // The host is checked first, before a password is asked for.
        let mut password = |jid: &BareJid, stdin: bool| {
            known_host(config, jid.domain().as_str())?;
            if stdin { ask.read_line() } else { ask.ask() }
        };
        Ok(match command {
            UserCommand::Add { jid, password_stdin } => {
                let password = password(&jid, password_stdin)?;
                Self::Add(jid, password)
            }
            UserCommand::Passwd { jid, password_stdin } => {
                let password = password(&jid, password_stdin)?;
                Self::Passwd(jid, password)
            }
            UserCommand::Remove { jid } => Self::Remove(jid),
            UserCommand::List { host: None } => Self::List(config.host.keys().cloned().collect()),
            UserCommand::List { host: Some(host) } => {
                let host = DomainPart::new(&host).map_or(host.clone(), |host| host.to_string());
                known_host(config, &host)?;
                Self::List(vec![host])
            }
            UserCommand::Import { file } => Self::Import(read_list(&file)?),
        })
    }
}

/// Executes a request. Where the account's host runs in `core`, its modules and sessions are
/// notified.
///
/// # Errors
///
/// The whole request failed; partial failures are in the reply.
pub async fn perform(
    request: UserRequest,
    accounts: &AccountStore,
    config: &Config,
    core: Option<&Core>,
) -> Result<UserReply, CliError> {
    let mut reply = UserReply::default();
    let running = |jid: &BareJid| {
        let host = core.and_then(|core| core.host(jid.domain().as_str()))?;
        host.service::<dyn services::Accounts>()
    };
    match request {
        UserRequest::Add(jid, password) => accounts.create(&jid, &password).await?,
        UserRequest::Passwd(jid, password) => match running(&jid) {
            Some(running) => running
                .set_password(&jid, &password, None)
                .await
                .map_err(|error| told(error, &jid))?,
            None => accounts.set_password(&jid, &password).await?,
        },
        UserRequest::Remove(jid) => match running(&jid) {
            Some(running) => running.remove(&jid, None).await.map_err(|error| told(error, &jid))?,
            None => accounts.remove(&jid).await?,
        },
        UserRequest::List(hosts) => {
            for host in hosts {
                let names = accounts.list(&host).await?;
                reply.lines.extend(names.iter().map(|name| format!("{name}@{host}")));
            }
        }
        UserRequest::Import(list) => {
            let has_host = |host: &str| config.host.contains_key(host);
            let report = accounts.import(list.as_slice(), has_host).await?;
            let problems = report.problems.iter();
            reply.problems = problems
                .map(|problem| format!("line {}: {}", problem.line, problem.message))
                .collect();
            reply.lines.push(match report.imported {
                1 => "1 account imported".to_owned(),
                count => format!("{count} accounts imported"),
            });
        }
    }
    Ok(reply)
}

fn told(error: services::AccountError, jid: &BareJid) -> CliError {
    match error {
        services::AccountError::NotFound => AccountStoreError::NotFound(jid.clone()).into(),
        error => CliError::Server(error.to_string()),
    }
}

/// Executes a request on the storage itself, when no server runs.
pub(super) fn perform_alone(request: UserRequest, config: &Config) -> Result<UserReply, CliError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|source| CliError::Io { what: "cannot start".into(), source })?;
    runtime.block_on(async {
        let storage = Arc::new(Database::open(config).await?);
        let limits = &config.limits;
        let accounts =
            AccountStore::open(storage.clone(), limits.scram_iterations, limits.password_checks)
                .await?;
        let reply = perform(request, &accounts, config, None).await;
        drop(accounts);
        if let Some(storage) = Arc::into_inner(storage) {
            storage.close().await;
        }
        reply
    })
}

fn known_host(config: &Config, host: &str) -> Result<(), CliError> {
    if config.host.contains_key(host) {
        return Ok(());
    }
    let known = config.host.keys().cloned().collect();
    Err(CliError::NoHost { host: host.to_owned(), known })
}

fn read_list(file: &Path) -> Result<Zeroizing<Vec<u8>>, CliError> {
    let mut list = Zeroizing::new(Vec::new());
    let read = if file == Path::new("-") {
        io::stdin().read_to_end(&mut list)
    } else {
        File::open(file).and_then(|mut file| file.read_to_end(&mut list))
    };
    let what = || format!("cannot read {}", file.display());
    read.map_err(|source| CliError::Io { what: what(), source })?;
    Ok(list)
}

/// Passwords are left out.
impl std::fmt::Debug for UserRequest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Add(jid, _) => f.debug_tuple("Add").field(jid).finish(),
            Self::List(hosts) => f.debug_tuple("List").field(hosts).finish(),
            Self::Remove(jid) => f.debug_tuple("Remove").field(jid).finish(),
            Self::Passwd(jid, _) => f.debug_tuple("Passwd").field(jid).finish(),
            Self::Import(_) => f.write_str("Import"),
        }
    }
}
