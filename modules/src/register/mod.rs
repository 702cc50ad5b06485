//! In-Band Registration of new accounts (XEP-0077 §3.1). What an account does with itself, such as
//! changing its password, is module `account`'s.

mod rate;
#[cfg(test)]
mod tests;

use std::{sync::Arc, time::Duration};

use event_core::{
    ErrorType, SessionKind,
    events::{UserRegistered, UserRegistering},
    host::Role,
    jid::{BareJid, Jid},
    prelude::*,
    services::{AccountError, Accounts},
};

use self::rate::Rate;
use crate::account::field;

const NS: &str = "jabber:iq:register";

/// What `user-registering` and `user-registered` name as the source.
const SOURCE: &str = "register";

/// Lets anybody make an account before logging in. It is not among the defaults: a public server
/// with it needs somebody who looks after what strangers do there.
#[module(state = Rate, features = ["jabber:iq:register"])]
pub struct Register {
    /// How many times one address may try in a period; a /64 of IPv6 counts as one address.
    #[serde(default = "attempts")]
    attempts: u32,
    /// The period, in seconds.
    #[serde(default = "period_seconds")]
    period_seconds: u64,
    /// The fewest characters of a username.
    #[serde(default = "min_username")]
    min_username: usize,
    /// The most characters of a username.
    #[serde(default = "max_username")]
    max_username: usize,
    /// The fewest characters of a password.
    #[serde(default = "min_password")]
    min_password: usize,
    /// What the client shows to the person.
    #[serde(default = "instructions")]
    instructions: String,
}

fn attempts() -> u32 {
    5
}

fn period_seconds() -> u64 {
    3600
}

fn min_username() -> usize {
    2
}

fn max_username() -> usize {
    64
}

fn min_password() -> usize {
    8
}

fn instructions() -> String {
    "Choose a username and a password.".into()
}

impl ModuleState<Register> for Rate {
    async fn start(_: &Arc<Host>, _: &Register) -> Result<Self, StartError> {
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
    // XEP-0077 §3.2: who is to be removed must be known first.
    let query = iq.child("query", NS).ok_or_else(StanzaError::bad_request)?;
    if query.child("remove", NS).is_some() {
        return Err(StanzaError::unexpected_request().text("log in to remove your account"));
    }
    let account = account(&field(&query, "username")?.unwrap_or_default(), cx)?;
    let password = field(&query, "password")?.unwrap_or_default();
    if password.is_empty() || password.chars().count() < cx.min_password {
        let text = format!("a password has {} characters at least", cx.min_password);
        return Err(StanzaError::not_acceptable().text(text));
    }
    // Attempts for a name that is taken count as well: they tell who has an account.
    let period = Duration::from_secs(cx.period_seconds);
    if !cx.state().admits(session.peer(), cx.now(), cx.attempts, period) {
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
    tracing::info!(%account, peer = ?session.peer(), "an account was registered");
    cx.fire(UserRegistered { username, source: SOURCE, session: Some(session) }).await;
    Ok(())
}

/// Only before logging in, and only where nobody listens to the password.
fn may_register(session: &Session) -> Result<(), StanzaError> {
    if session.kind() != SessionKind::Client || session.user().is_some() {
        return Err(StanzaError::not_allowed().text("you have an account already"));
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

/// The account of a username that is acceptable (RFC 7622 §3.3, and the options).
fn account(username: &str, cx: &Context<Register>) -> Result<BareJid, StanzaError> {
    let account = cx.host().account(username).ok_or_else(|| {
        StanzaError::not_acceptable().text("a username cannot have these characters")
    })?;
    let length = account.node().map_or(0, |node| node.as_str().chars().count());
    if !(cx.min_username..=cx.max_username).contains(&length) {
        let text = format!("a username has {} to {} characters", cx.min_username, cx.max_username);
        return Err(StanzaError::not_acceptable().text(text));
    }
    // A name that the configuration trusts is not for whoever comes first.
    if cx.host().role(&Jid::from(account.clone())) > Role::User {
        return Err(StanzaError::not_allowed().text("the username is reserved"));
    }
    Ok(account)
}
