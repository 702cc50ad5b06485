//! The socket in the data folder, and the answers to requests. The server accepts requests of its
//! own user and of root only.

use std::{
    fs, io,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    sync::{Arc, Weak},
};

use arc_swap::ArcSwap;
use event_core::Core;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{UnixListener, UnixStream},
    task::JoinHandle,
};
use zeroize::Zeroizing;

use super::protocol::{
    Answer, HookLine, MAX_JSON, MAX_SECRET, Request, SOCKET, Secret, checked, frame, with_path,
};
use crate::{
    accounts::AccountStore,
    cli::{HooksQuery, UserReply, UserRequest, perform},
    config::Config,
    run::reload::Reload,
};

/// The socket of a running server.
#[derive(Debug)]
pub(crate) struct Control {
    path: PathBuf,
    task: JoinHandle<()>,
}

impl Control {
    /// Opens the socket. If this fails, logs it and returns `None`: clients are served
    /// nevertheless.
    pub(crate) async fn open(
        data: &Path,
        config: &Arc<ArcSwap<Config>>,
        accounts: &AccountStore,
        core: &Arc<Core>,
        reload: &Arc<Reload>,
    ) -> Option<Self> {
        let path = data.join(SOCKET);
        let listener = match listen(data) {
            Ok(listener) => listener,
            Err(error) => {
                tracing::warn!(%error, "the control socket cannot be opened: commands cannot reach this server");
                return None;
            }
        };
        let server = ControlServer {
            config: Arc::clone(config),
            accounts: accounts.clone(),
            core: Arc::downgrade(core),
            reload: Arc::downgrade(reload),
        };
        let task = tokio::spawn(async move {
            loop {
                match listener.accept().await {
                    Ok((stream, _)) => {
                        let server = server.clone();
                        tokio::spawn(async move {
                            if let Err(error) = server.serve(stream).await {
                                tracing::debug!(%error, "the connection of a command failed");
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
    /// Removes the socket, and waits until the task that accepts connections has ended.
    pub(crate) async fn close(self) {
        let Self { path, task } = self;
        let _ = fs::remove_file(path);
        task.abort();
        let _ = task.await;
    }
}

fn listen(data: &Path) -> io::Result<UnixListener> {
    with_path(data, |path| {
        // The lock of the folder excludes another server, so the file is a leftover.
        match fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let listener = UnixListener::bind(path)?;
        fs::set_permissions(path, fs::Permissions::from_mode(0o600))?;
        Ok(listener)
    })
}

/// Answers requests.
#[derive(Clone)]
struct ControlServer {
    config: Arc<ArcSwap<Config>>,
    accounts: AccountStore,
    core: Weak<Core>,
    reload: Weak<Reload>,
}

impl ControlServer {
    async fn serve(&self, mut stream: UnixStream) -> io::Result<()> {
        let uid = stream.peer_cred()?.uid();
        // Until the mode of the socket is set, other users can connect.
        if uid != 0 && uid != rustix::process::geteuid().as_raw() {
            return Err(io::ErrorKind::PermissionDenied.into());
        }
        let request = read_part(&mut stream, MAX_JSON).await?;
        let secret = read_part(&mut stream, MAX_SECRET).await?;
        let answer = match serde_json::from_slice(&request) {
            Ok(request) => self.answer(request, secret).await,
            Err(_) => Answer::Error("the server and this command have different versions".into()),
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
        match perform(request, &self.accounts, &config, Some(&core)).await {
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
