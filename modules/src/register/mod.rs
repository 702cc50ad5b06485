//! In-Band Registration of new accounts (XEP-0077 §3.1). Module `account` manages existing
//! accounts.

mod rate;
#[cfg(test)]
mod tests;

use std::time::Duration;

use event_core::{
    ErrorType, Role, SessionKind,
    events::{UserRegistered, UserRegistering},
    jid::{BareJid, Jid},
    prelude::*,
    services::{AccountError, Accounts},
};

use self::rate::AttemptLimiter;
use crate::account::field;

const NS: &str = "jabber:iq:register";

/// The source in events `user-registering` and `user-registered`.
const SOURCE: &str = "register";

/// Lets anyone create an account before logging in. This is not a default module, because open
/// registration on a public server needs an operator who watches for abuse.
#[module(
    state = AttemptLimiter,
    features = ["jabber:iq:register"],
    fires = [UserRegistering, UserRegistered]
)]
pub struct Register {
    /// The maximum number of attempts of one address in a period. An IPv6 /64 counts as one
    /// address.
    #[option(default = 5)]
    attempts: u32,
    /// The length of the period, in seconds.
    #[option(default = 3600)]
    period_seconds: u64,
    /// The minimum length of a username, in characters.
    #[option(default = 2)]
    min_username: usize,
    /// The maximum length of a username, in characters.
    #[option(default = 64)]
    max_username: usize,
    /// The minimum length of a password, in characters.
    #[option(default = 8)]
    min_password: usize,
    /// The instructions that the client shows to the user.
    #[option(default = "Choose a username and a password.")]
    instructions: String,
}

impl ModuleState<Register> for AttemptLimiter {
    async fn start(_: &HostContext, _: &Register) -> Result<Self, StartError> {
        Ok(Self::default())
    }
}

#[hook("stream-features")]
fn offer(event: &mut StreamFeatures) {
    if may_register(&event.session).is_ok() {
        let feature = ElementBuilder::new("register", "http://jabber.org/features/iq-register");
        event.features.push(feature.build());
    }
}

#[hook("stanza/iq/jabber:iq:register:query")]
async fn register(iq: &mut Iq, cx: &Context<Register>) -> Result<Reply, StanzaError> {
    let session = iq.origin().session().cloned().ok_or_else(StanzaError::not_allowed)?;
    may_register(&session)?;
    if iq.iq_type() == IqType::Get {
        return Ok(iq.reply_with_element(&fields(&cx.instructions)));
    }
    // XEP-0077 §3.2: removal needs an authenticated user.
    let query = iq.child("query", NS).ok_or_else(StanzaError::bad_request)?;
    if query.child("remove", NS).is_some() {
        return Err(StanzaError::unexpected_request().text("log in to remove your account"));
    }
    let account = account(&field(&query, "username")?.unwrap_or_default(), cx)?;
    let password = field(&query, "password")?.unwrap_or_default();
    if password.is_empty() || password.chars().count() < cx.min_password {
        let text = format!("a password needs at least {} characters", cx.min_password);
        return Err(StanzaError::not_acceptable().text(text));
    }
    // Attempts for existing names count as well, because they reveal who has an account.
    let period = Duration::from_secs(cx.period_seconds);
    if !cx.state().admit(session.peer(), cx.now(), cx.attempts, period) {
        let text = "too many registrations from your address; try again later";
        return Err(StanzaError::policy_violation().with_type(ErrorType::Wait).text(text));
    }
    create(&account, &password, session, cx).await?;
    Ok(iq.reply())
}

async fn create(
    account: &BareJid,
    password: &str,
    session: Session,
    cx: &Context<Register>,
) -> Result<(), StanzaError> {
    let accounts = cx.host().service::<dyn Accounts>().ok_or_else(StanzaError::not_allowed)?;
    if accounts.exists(account).await? {
        return Err(AccountError::Exists.into());
    }
    let username: Box<str> = account.node().map(|node| node.as_str()).unwrap_or_default().into();
    let registering = cx.fire(UserRegistering {
        username: username.clone(),
        source: SOURCE,
        session: Some(session.clone()),
        error: None,
    });
    let registering = registering.await;
    if registering.flow == Flow::Handled {
        return Err(registering.event.error.unwrap_or_else(StanzaError::not_allowed));
    }
    accounts.create(account, password).await?;
    tracing::info!(%account, peer = session.peer().map(tracing::field::display), "an account was registered");
    cx.fire(UserRegistered { username, source: SOURCE, session: Some(session) }).await;
    Ok(())
}

/// Registration needs an unauthenticated client, and a stream that protects the password.
fn may_register(session: &Session) -> Result<(), StanzaError> {
    if session.kind() != SessionKind::Client || session.user().is_some() {
        return Err(StanzaError::not_allowed().text("you already have an account"));
    }
    if !session.is_encrypted() && !session.host().settings().allow_plaintext {
        return Err(StanzaError::policy_violation().text("begin with STARTTLS"));
    }
    Ok(())
}

fn fields(instructions: &str) -> Element {
    let field = |name: &str, text: &str| ElementBuilder::new(name, NS).text(text).build();
    let fields =
        [field("instructions", instructions), field("username", ""), field("password", "")];
    ElementBuilder::new("query", NS).children(&fields).build()
}

/// The account of `username`, if the name is valid (RFC 7622 §3.3) and fits the options.
fn account(username: &str, cx: &Context<Register>) -> Result<BareJid, StanzaError> {
    let account = cx.host().account(username).ok_or_else(|| {
        StanzaError::not_acceptable().text("the username has characters that are not allowed")
    })?;
    let length = account.node().map_or(0, |node| node.as_str().chars().count());
    if !(cx.min_username..=cx.max_username).contains(&length) {
        let text = format!("a username has {} to {} characters", cx.min_username, cx.max_username);
        return Err(StanzaError::not_acceptable().text(text));
    }
    // Names with a role in the configuration cannot be registered.
    if cx.host().role(&Jid::from(account.clone())) > Role::User {
        return Err(StanzaError::not_allowed().text("the username is reserved"));
    }
    Ok(account)
}
