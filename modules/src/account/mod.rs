//! Password change and removal of existing accounts (XEP-0077 §3.2, §3.3).

#[cfg(test)]
mod tests;

use std::sync::Arc;

use event_core::{
    SessionKind, SessionState, events::UserDeregistered, jid::BareJid, prelude::*,
    services::Accounts, xml::Child,
};
use zeroize::Zeroizing;

const NS: &str = "jabber:iq:register";

/// The source in event `user-deregistered`.
const SOURCE: &str = "account";

/// Lets users change their password and remove their account.
#[module(
    name = "account",
    features = ["jabber:iq:register"],
    after = ["register"],
    fires = [UserDeregistered]
)]
pub struct AccountManagement {
    /// Whether users can change their password in-band.
    #[option(default = true)]
    password_change: bool,
    /// Whether users can remove their account in-band.
    #[option(default = true)]
    removal: bool,
}

/// Clients send the request to the host or to their account.
#[hook("iq-get/self/jabber:iq:register:query", priority = 10)]
#[hook("iq-get/host/jabber:iq:register:query", priority = 10)]
fn get(iq: &mut Iq, cx: &Context<AccountManagement>) -> Result<Reply, StanzaError> {
    let (_, account) = user(iq, cx)?;
    let field = |name: &str, text: &str| ElementBuilder::new(name, NS).text(text).build();
    let username = account.node().map(|node| node.as_str()).unwrap_or_default();
    let fields = [field("registered", ""), field("username", username), field("password", "")];
    Ok(iq.reply_with_element(&ElementBuilder::new("query", NS).children(&fields).build()))
}

#[hook("iq-set/self/jabber:iq:register:query", priority = 10)]
#[hook("iq-set/host/jabber:iq:register:query", priority = 10)]
async fn set(iq: &mut Iq, cx: &Context<AccountManagement>) -> Result<Reply, StanzaError> {
    let (session, account) = user(iq, cx)?;
    let query = iq.child("query", NS).ok_or_else(StanzaError::bad_request)?;
    if query.child("remove", NS).is_none() {
        change_password(&query, &session, &account, cx).await?;
        return Ok(iq.reply());
    }
    if query.children().count() != 1 {
        return Err(StanzaError::bad_request().text("<remove/> must be the only child"));
    }
    remove(iq, &session, &account, cx).await
}

async fn change_password(
    query: &Child<'_>,
    session: &Session,
    account: &BareJid,
    cx: &Context<AccountManagement>,
) -> Result<(), StanzaError> {
    if !cx.password_change {
        return Err(StanzaError::not_allowed().text("in-band change of passwords is disabled"));
    }
    if !session.is_encrypted() && !cx.host().settings().allow_plaintext {
        return Err(StanzaError::not_authorized().text("the stream is not encrypted"));
    }
    let username = field(query, "username")?.and_then(|username| cx.host().account(&username));
    let password = field(query, "password")?.unwrap_or_default();
    if username.as_ref() != Some(account) {
        return Err(StanzaError::bad_request().text("the username must be your own"));
    }
    if password.is_empty() {
        return Err(StanzaError::bad_request().text("the new password is missing"));
    }
    accounts(cx)?.set_password(account, &password, Some(session)).await?;
    tracing::info!(%account, "a password was changed by its user");
    Ok(())
}

async fn remove(
    iq: &Iq,
    session: &Session,
    account: &BareJid,
    cx: &Context<AccountManagement>,
) -> Result<Reply, StanzaError> {
    if !cx.removal {
        return Err(StanzaError::not_allowed().text("in-band removal of accounts is disabled"));
    }
    let (answer, end) = match accounts(cx)?.remove(account, Some(session)).await {
        Ok(()) => {
            tracing::info!(%account, "an account was removed by its user");
            let username = account.node().map(|node| node.as_str()).unwrap_or_default().into();
            let session = Some(session.clone());
            cx.fire(UserDeregistered { username, source: SOURCE, session }).await;
            (iq.reply(), StreamError::not_authorized().text("the account was removed"))
        }
        Err(error) if session.state() == SessionState::Connected => return Err(error.into()),
        Err(error) => {
            let text = "the account could not be removed";
            let end = StreamError::internal_server_error().text(text);
            (iq.error_reply(&error.into()), end)
        }
    };
    // The session has ended, so the returned answer is not delivered; the stream is still open.
    session.send_nonza(answer.element());
    session.close(end);
    Ok(answer)
}

/// The text of a field, which may occur once and must not have child elements.
pub(crate) fn field(
    query: &Child<'_>,
    name: &str,
) -> Result<Option<Zeroizing<String>>, StanzaError> {
    let mut fields = query.children().filter(|field| field.is(name, NS));
    let Some(field) = fields.next() else { return Ok(None) };
    if fields.next().is_some() || field.first_child().is_some() {
        let text = format!("<{name}/> may occur once and must contain only text");
        return Err(StanzaError::bad_request().text(text));
    }
    Ok(Some(Zeroizing::new(field.text().into_owned())))
}

/// The session and account of the local user who sent the request. All other senders are refused.
fn user(iq: &Iq, cx: &Context<AccountManagement>) -> Result<(Session, BareJid), StanzaError> {
    let session = iq.origin().session().filter(|session| session.kind() == SessionKind::Client);
    let user = session.and_then(|session| Some((session.clone(), session.user()?.clone())));
    user.filter(|(session, _)| session.host().name() == cx.host().name())
        .ok_or_else(StanzaError::service_unavailable)
}

fn accounts(cx: &Context<AccountManagement>) -> Result<Arc<dyn Accounts>, StanzaError> {
    cx.host().service::<dyn Accounts>().ok_or_else(StanzaError::service_unavailable)
}
