//! The socket in the data folder through which the command line speaks to a running server.
//!
//! One request a connection, one answer: JSON behind its length in four bytes. A request has a
//! second part of the same form for what must be wiped from memory: a password, a list of accounts.
//! Only the server's own user and root are listened to.

use std::{
    fs,
    io::{self, Read, Write},
    os::unix::{fs::PermissionsExt, net::UnixStream as BlockingStream},
    path::{Path, PathBuf},
    sync::{Arc, Weak},
};

use arc_swap::ArcSwap;
use event_core::{Core, router::turns};
use jid::BareJid;
use serde::{Deserialize, Serialize};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{UnixListener, UnixStream},
    task::JoinHandle,
};
use zeroize::Zeroizing;

use crate::{
    accounts::Accounts,
    cli::{
        CliError, HooksQuery, UserReply, UserRequest,
        commands::{HookLine, say},
        perform,
    },
    config::Config,
    run::reload::{Reload, Report},
};

const SOCKET: &str = "spondee.sock";

/// Bytes of a request or an answer.
const MAX_JSON: u32 = 16 * 1024 * 1024;
/// Bytes of a password or a list.
const MAX_SECRET: u32 = 512 * 1024 * 1024;
/// What the system takes as a socket's path, with some room.
const MAX_PATH: usize = 100;

/// What is asked for.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Request {
    Add(#[serde(with = "as_text")] BareJid),
    List(Vec<String>),
    Remove(#[serde(with = "as_text")] BareJid),
    Passwd(#[serde(with = "as_text")] BareJid),
    Import,
    Reload,
    Hooks { host: Option<String>, event: Option<String>, module: Option<String> },
}

/// What came of it.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Answer {
    User { lines: Vec<String>, problems: Vec<String> },
    Hooks(Vec<HookLine>),
    Reloaded(Report),
    Error(String),
}

mod as_text {
    use jid::BareJid;
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub(super) fn serialize<S: Serializer>(jid: &BareJid, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(jid.as_str())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<BareJid, D::Error> {
        BareJid::new(&String::deserialize(from)?).map_err(D::Error::custom)
    }
}

type Secret = Zeroizing<Vec<u8>>;

/// The socket of a running server.
#[derive(Debug)]
pub(crate) struct Control {
    path: PathBuf,
    task: JoinHandle<()>,
}

impl Control {
    /// Opens the socket. A server without it still serves its clients.
    pub(crate) async fn open(
        data: &Path,
        config: &Arc<ArcSwap<Config>>,
        accounts: &Accounts,
        core: &Arc<Core>,
        reload: &Arc<Reload>,
    ) -> Option<Self> {
        let path = data.join(SOCKET);
        let listener = match listen(data) {
            Ok(listener) => listener,
            Err(error) => {
                tracing::warn!(%error, "no control socket: commands cannot reach this server");
                return None;
            }
        };
        let office = Office {
            config: Arc::clone(config),
            accounts: accounts.clone(),
            core: Arc::downgrade(core),
            reload: Arc::downgrade(reload),
        };
        let task = tokio::spawn(async move {
            loop {
                match listener.accept().await {
                    Ok((stream, _)) => {
                        let office = office.clone();
                        tokio::spawn(async move {
                            if let Err(error) = office.serve(stream).await {
                                tracing::debug!(%error, "a command broke off");
                            }
                        });
                    }
                    Err(error) => {
                        tracing::debug!(%error, "the control socket failed");
                        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
                    }
                }
            }
        });
        Some(Self { path, task })
    }
}

impl Control {
    /// Takes the socket away, and waits until nothing of the server is held for it.
    pub(crate) async fn close(self) {
        let Self { path, task } = self;
        let _ = fs::remove_file(path);
        task.abort();
        let _ = task.await;
    }
}

/// Calls `with` with a path of the socket that the system takes, however long the folder's is.
fn with_path<T>(data: &Path, with: impl FnOnce(&Path) -> io::Result<T>) -> io::Result<T> {
    let path = data.join(SOCKET);
    if path.as_os_str().len() <= MAX_PATH || !cfg!(target_os = "linux") {
        return with(&path);
    }
    let folder = fs::File::open(data)?;
    let number = std::os::fd::AsRawFd::as_raw_fd(&folder);
    with(&Path::new("/proc/self/fd").join(number.to_string()).join(SOCKET))
}

fn listen(data: &Path) -> io::Result<UnixListener> {
    with_path(data, |path| {
        // Whoever left it is gone: this server holds the folder's lock.
        match fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let listener = UnixListener::bind(path)?;
        fs::set_permissions(path, fs::Permissions::from_mode(0o600))?;
        Ok(listener)
    })
}

/// What a command may need of the server.
#[derive(Clone)]
struct Office {
    config: Arc<ArcSwap<Config>>,
    accounts: Accounts,
    core: Weak<Core>,
    reload: Weak<Reload>,
}

impl Office {
    async fn serve(&self, mut stream: UnixStream) -> io::Result<()> {
        let uid = stream.peer_cred()?.uid();
        // The socket's mode says the same, but only after it was set.
        if uid != 0 && uid != rustix::process::geteuid().as_raw() {
            return Err(io::ErrorKind::PermissionDenied.into());
        }
        let request = read_part(&mut stream, MAX_JSON).await?;
        let secret = read_part(&mut stream, MAX_SECRET).await?;
        let answer = match serde_json::from_slice(&request) {
            Ok(request) => self.answer(request, secret).await,
            Err(_) => Answer::Error("the server is of another version than this command".into()),
        };
        let answer = serde_json::to_vec(&answer)?;
        stream.write_all(&frame(&answer)?).await?;
        stream.shutdown().await
    }

    async fn answer(&self, request: Request, secret: Secret) -> Answer {
        let password = || {
            let text = std::str::from_utf8(&secret).map(|text| Zeroizing::new(text.to_owned()));
            text.map_err(|_| Answer::Error("the password is not UTF-8".into()))
        };
        let config = self.config.load_full();
        let request = match request {
            Request::Hooks { host, event, module } => {
                let query = HooksQuery { host, event, module, json: false };
                return match self.core.upgrade() {
                    Some(core) => Answer::Hooks(HookLine::all(&core, &query)),
                    None => Answer::Error("the server is stopping".into()),
                };
            }
            Request::Reload => {
                let Some(reload) = self.reload.upgrade() else {
                    return Answer::Error("the server is stopping".into());
                };
                return match reload.run().await {
                    Ok(report) => Answer::Reloaded(report),
                    Err(error) => Answer::Error(error.to_string()),
                };
            }
            Request::Add(jid) if !config.host.contains_key(jid.domain().as_str()) => {
                return Answer::Error(format!("the running server has no host {}", jid.domain()));
            }
            Request::Add(jid) => match password() {
                Ok(password) => UserRequest::Add(jid, password),
                Err(answer) => return answer,
            },
            Request::Passwd(jid) => match password() {
                Ok(password) => UserRequest::Passwd(jid, password),
                Err(answer) => return answer,
            },
            Request::List(hosts) => UserRequest::List(hosts),
            Request::Remove(jid) => UserRequest::Remove(jid),
            Request::Import => UserRequest::Import(secret),
        };
        let Some(core) = self.core.upgrade() else {
            return Answer::Error("the server is stopping".into());
        };
        let performed = turns(async {
            let performed = perform(request, &self.accounts, &config, Some(&core)).await;
            core.drain().await;
            performed
        });
        match performed.await {
            Ok(UserReply { lines, problems }) => Answer::User { lines, problems },
            Err(error) => Answer::Error(error.to_string()),
        }
    }
}

async fn read_part(stream: &mut UnixStream, max: u32) -> io::Result<Secret> {
    let length = stream.read_u32().await?;
    let mut part = Zeroizing::new(vec![0; checked(length, max)?]);
    stream.read_exact(&mut part).await?;
    Ok(part)
}

fn checked(length: u32, max: u32) -> io::Result<usize> {
    if length > max {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "too long"));
    }
    usize::try_from(length).map_err(io::Error::other)
}

fn frame(part: &[u8]) -> io::Result<Secret> {
    let length = u32::try_from(part.len()).map_err(io::Error::other)?;
    let mut framed = Zeroizing::new(Vec::with_capacity(part.len() + 4));
    framed.extend_from_slice(&length.to_be_bytes());
    framed.extend_from_slice(part);
    Ok(framed)
}

/// Asks the server that runs on a data folder; `None` when none does.
fn ask(data: &Path, request: &Request, secret: &[u8]) -> Option<io::Result<Answer>> {
    use io::ErrorKind::{ConnectionRefused, NotFound};
    let mut stream = match with_path(data, |path| BlockingStream::connect(path)) {
        Ok(stream) => stream,
        Err(error) if matches!(error.kind(), NotFound | ConnectionRefused) => return None,
        Err(error) => return Some(Err(error)),
    };
    let mut exchange = || {
        stream.write_all(&frame(&serde_json::to_vec(request)?)?)?;
        stream.write_all(&frame(secret)?)?;
        let mut length = [0; 4];
        stream.read_exact(&mut length)?;
        let mut answer = vec![0; checked(u32::from_be_bytes(length), u32::MAX)?];
        stream.read_exact(&mut answer)?;
        Ok(serde_json::from_slice(&answer)?)
    };
    Some(exchange())
}

fn failed(error: &io::Error) -> CliError {
    CliError::Server(format!("the running server did not answer: {error}"))
}

/// Hands an accounts' command to the running server; gives it back when there is none.
pub(crate) fn user(
    data: &Path,
    request: UserRequest,
) -> Result<Result<UserReply, CliError>, UserRequest> {
    let (asked, secret): (_, &[u8]) = match &request {
        UserRequest::Add(jid, password) => (Request::Add(jid.clone()), password.as_bytes()),
        UserRequest::Passwd(jid, password) => (Request::Passwd(jid.clone()), password.as_bytes()),
        UserRequest::List(hosts) => (Request::List(hosts.clone()), &[]),
        UserRequest::Remove(jid) => (Request::Remove(jid.clone()), &[]),
        UserRequest::Import(list) => (Request::Import, list),
    };
    match ask(data, &asked, secret) {
        None => Err(request),
        Some(Ok(Answer::User { lines, problems })) => Ok(Ok(UserReply { lines, problems })),
        Some(Ok(Answer::Error(error))) => Ok(Err(CliError::Server(error))),
        Some(Ok(_)) => Ok(Err(CliError::Server("a wrong answer".into()))),
        Some(Err(error)) => Ok(Err(failed(&error))),
    }
}

/// Has the running server read its config again, and prints what came of it.
pub(crate) fn reload(data: &Path) -> Result<(), CliError> {
    let report = match ask(data, &Request::Reload, &[]) {
        None => {
            let text = format!("no server runs on the data folder {}", data.display());
            return Err(CliError::Server(text));
        }
        Some(Ok(Answer::Reloaded(report))) => report,
        Some(Ok(Answer::Error(error))) => return Err(CliError::Server(error)),
        Some(Ok(_)) => return Err(CliError::Server("a wrong answer".into())),
        Some(Err(error)) => return Err(failed(&error)),
    };
    let mut text = String::new();
    report.warnings.iter().for_each(|line| text.push_str(&format!("warning: {line}\n")));
    report.applied.iter().for_each(|line| text.push_str(&format!("applied: {line}\n")));
    report.restart.iter().for_each(|line| text.push_str(&format!("needs a restart: {line}\n")));
    if report.applied.is_empty() && report.restart.is_empty() {
        text.push_str("nothing changed\n");
    }
    say(&text);
    Ok(())
}

/// The handlers of the running server; `None` when there is none.
pub(crate) fn hooks(data: &Path, query: &HooksQuery) -> Option<Result<Vec<HookLine>, CliError>> {
    let HooksQuery { host, event, module, .. } = query.clone();
    Some(match ask(data, &Request::Hooks { host, event, module }, &[])? {
        Ok(Answer::Hooks(lines)) => Ok(lines),
        Ok(Answer::Error(error)) => Err(CliError::Server(error)),
        Ok(_) => Err(CliError::Server("a wrong answer".into())),
        Err(error) => Err(failed(&error)),
    })
}
