//! Commands to the server that runs on a data folder.

use std::{
    io::{self, Read, Write},
    os::unix::net::UnixStream,
    path::Path,
};

use super::protocol::{Answer, HookLine, Request, checked, frame, with_path};
use crate::cli::{CliError, HooksQuery, UserReply, UserRequest, output::say};

/// Sends a request to the server that runs on a data folder; `None` when no server runs.
fn ask(data: &Path, request: &Request, secret: &[u8]) -> Option<io::Result<Answer>> {
    use io::ErrorKind::{ConnectionRefused, NotADirectory, NotFound};
    let mut stream = match with_path(data, |path| UnixStream::connect(path)) {
        Ok(stream) => stream,
        Err(error) if matches!(error.kind(), NotFound | NotADirectory | ConnectionRefused) => {
            return None;
        }
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

/// Sends an account command to the running server. Returns the command when no server runs.
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
        Some(Ok(_)) => Ok(Err(CliError::Server("unexpected answer from the server".into()))),
        Some(Err(error)) => Ok(Err(failed(&error))),
    }
}

/// Makes the running server read its config again, and prints the result.
pub(crate) fn reload(data: &Path) -> Result<(), CliError> {
    let report = match ask(data, &Request::Reload, &[]) {
        None => {
            let text = format!("no server runs on the data folder {}", data.display());
            return Err(CliError::Server(text));
        }
        Some(Ok(Answer::Reloaded(report))) => report,
        Some(Ok(Answer::Error(error))) => return Err(CliError::Server(error)),
        Some(Ok(_)) => return Err(CliError::Server("unexpected answer from the server".into())),
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

/// The handlers of the running server; `None` when no server runs.
pub(crate) fn hooks(data: &Path, query: &HooksQuery) -> Option<Result<Vec<HookLine>, CliError>> {
    let HooksQuery { host, event, module, .. } = query.clone();
    Some(match ask(data, &Request::Hooks { host, event, module }, &[])? {
        Ok(Answer::Hooks(lines)) => Ok(lines),
        Ok(Answer::Error(error)) => Err(CliError::Server(error)),
        Ok(_) => Err(CliError::Server("unexpected answer from the server".into())),
        Err(error) => Err(failed(&error)),
    })
}
