//! SASL (RFC 6120 §6), with channel binding to TLS where possible (RFC 9266, XEP-0440).

mod exchange;
mod external;
mod failure;
mod library;
mod mechanism;
mod message;
#[cfg(test)]
mod tests;

use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
use event_core::{
    SessionKind,
    jid::BareJid,
    prelude::*,
    services::{Accounts, Mechanism},
    storage::StorageError,
};
use zeroize::Zeroizing;

use self::{
    exchange::{Exchange, Step},
    failure::{Failure, SaslCondition},
    mechanism::CHANNEL_BINDING,
};
use crate::generation;

const NS: &str = "urn:ietf:params:xml:ns:xmpp-sasl";

/// Authenticates clients, and authenticates other servers by their certificates.
#[module(
    after = ["starttls"],
    fires = [
        events::AuthenticationAttempt,
        events::AuthenticationSuccess,
        events::AuthenticationFailure,
        events::S2sAuthenticated,
    ]
)]
pub struct Saslauth {
    /// The number of wrong passwords after which a stream is closed. Default:
    /// `limits.authentication_attempts`.
    #[serde(default)]
    max_failures: Option<u32>,
}

/// The number of wrong passwords after which a stream is closed, if no other limit is configured.
const MAX_GUESSES: u32 = 5;

/// The number of attempts of a stream in which no password was checked: an exchange that was not
/// finished, or an element that was refused. Some clients try several mechanisms before they send a
/// proof: slixmpp 1.8 makes five such attempts.
const MAX_UNCHECKED: u32 = 12;

/// The attempts of a session.
#[derive(Default)]
struct Attempts {
    begun: u32,
    /// Those in which a wrong password was checked.
    guesses: u32,
}

#[hook("stream-features")]
fn offer(event: &mut StreamFeatures) {
    let session = &event.session;
    if session.kind() != SessionKind::Client || session.user().is_some() {
        return;
    }
    // An exchange that began without TLS does not continue with TLS.
    take_exchange(session);
    let mechanisms = offered(session);
    let name =
        |mechanism: &Mechanism| ElementBuilder::new("mechanism", NS).text(mechanism.name()).build();
    if !mechanisms.is_empty() {
        let names: Vec<_> = mechanisms.iter().map(name).collect();
        event.features.push(ElementBuilder::new("mechanisms", NS).children(&names).build());
    }
    if binds_channel(&mechanisms) {
        let ns = "urn:xmpp:sasl-cb:0";
        let kind = ElementBuilder::new("channel-binding", ns).attribute("type", CHANNEL_BINDING);
        let kinds = ElementBuilder::new("sasl-channel-binding", ns).child(&kind.build());
        event.features.push(kinds.build());
    }
}

#[hook("stanza/urn:ietf:params:xml:ns:xmpp-sasl:auth")]
async fn auth(nonza: &mut Nonza, cx: &Context<Saslauth>) -> Result<Flow, StreamError> {
    take(nonza, begin, cx).await
}

#[hook("stanza/urn:ietf:params:xml:ns:xmpp-sasl:response")]
async fn response(nonza: &mut Nonza, cx: &Context<Saslauth>) -> Result<Flow, StreamError> {
    take(nonza, resume, cx).await
}

#[hook("stanza/urn:ietf:params:xml:ns:xmpp-sasl:abort")]
async fn abort(nonza: &mut Nonza, cx: &Context<Saslauth>) -> Result<Flow, StreamError> {
    take(
        nonza,
        |_, _| Err(Failure::new(SaslCondition::Aborted, "the client aborted the exchange")),
        cx,
    )
    .await
}

/// Reads a client's element as part of the running exchange or of a new exchange.
type Read = fn(&Nonza, Option<Exchange>) -> Result<(Exchange, Step), Failure>;

async fn take(nonza: &Nonza, read: Read, cx: &Context<Saslauth>) -> Result<Flow, StreamError> {
    let session = &nonza.session;
    if session.kind() != SessionKind::Client {
        return Ok(Flow::Continue);
    }
    if session.user().is_some() {
        return Err(StreamError::policy_violation().text("the stream is already authenticated"));
    }
    let exchange = take_exchange(session);
    if nonza.element.name() == "auth" || exchange.is_none() {
        count(session)?;
    }
    match read(nonza, exchange) {
        Ok((exchange, step)) if nonza.element.name() == "auth" => {
            let attempt = AuthenticationAttempt {
                session: session.clone(),
                mechanism: nonza.element.attribute("mechanism").unwrap_or_default().into(),
                condition: SaslCondition::NotAuthorized.name(),
                text: None,
            };
            let attempt = cx.fire(attempt).await;
            match attempt.flow {
                Flow::Continue => run(exchange, step, session, cx).await,
                Flow::Handled => {
                    let AuthenticationAttempt { condition, text, .. } = attempt.event;
                    let text = text.unwrap_or_else(|| "authentication is not allowed".into());
                    refuse(condition, text, session, cx).await;
                    Ok(Flow::Handled)
                }
            }
        }
        Ok((exchange, step)) => run(exchange, step, session, cx).await,
        Err(failure) => fail(failure, session, cx).await,
    }
}

fn begin(nonza: &Nonza, _: Option<Exchange>) -> Result<(Exchange, Step), Failure> {
    let session = &nonza.session;
    let host = session.host();
    let name = nonza.element.attribute("mechanism").unwrap_or_default();
    let unknown = |_| Failure::new(SaslCondition::InvalidMechanism, "the mechanism is unknown");
    let mechanism: Mechanism = name.parse().map_err(unknown)?;
    if !session.is_encrypted() && !host.settings().allow_plaintext {
        return Err(Failure::new(SaslCondition::EncryptionRequired, "begin with STARTTLS"));
    }
    let offered = offered(session);
    if !offered.contains(&mechanism) {
        let text = "the mechanism is not offered";
        return Err(Failure::new(SaslCondition::InvalidMechanism, text));
    }
    let text = nonza.element.text();
    let initial = if text.is_empty() { None } else { Some(decode(&text)?) };
    let initial = initial.as_deref().map(Vec::as_slice);
    let channel = session.tls_exporter();
    Ok(Exchange::start(mechanism, host.name(), initial, channel, binds_channel(&offered)))
}

fn resume(nonza: &Nonza, exchange: Option<Exchange>) -> Result<(Exchange, Step), Failure> {
    let nothing = Failure::new(SaslCondition::MalformedRequest, "no exchange is in progress");
    let mut exchange = exchange.ok_or(nothing)?;
    let step = exchange.step(&decode(&nonza.element.text())?);
    Ok((exchange, step))
}

/// Performs the steps of the exchange until the exchange ends or needs the client's next message.
async fn run(
    mut exchange: Exchange,
    mut step: Step,
    session: &Session,
    cx: &Context<Saslauth>,
) -> Result<Flow, StreamError> {
    let host = cx.host();
    let Some(accounts) = host.service::<dyn Accounts>() else {
        tracing::error!(host = host.name(), "cannot authenticate: the host has no accounts");
        return fail(Failure::UNAVAILABLE, session, cx).await;
    };
    // Noted before the keys are read, so that keys of an earlier generation are recognised.
    let note = |username: &str| {
        if let Some(account) = host.account(username) {
            generation::note(session, &account, &*accounts);
        }
    };
    loop {
        step = match step {
            Step::NeedCredentials { username, hash } => {
                note(&username);
                let keys = accounts.credentials(host.name(), &username, hash).await;
                keys.map_or_else(unavailable, |keys| exchange.provide_keys(keys))
            }
            Step::CheckPassword { username, password } => {
                note(&username);
                let is_correct = accounts.verify(host.name(), &username, &password).await;
                is_correct.map_or_else(unavailable, |is_correct| exchange.finish_check(is_correct))
            }
            Step::Challenge(message) => {
                session.with_slot(|slot| *slot = Some(exchange));
                session.send_nonza(&element("challenge", Some(&message)));
                return Ok(Flow::Handled);
            }
            Step::Success { username, final_message } => {
                let Some(user) = host.account(&username) else {
                    return fail(Failure::UNAVAILABLE, session, cx).await;
                };
                if generation::is_unchanged(session, &user, &*accounts) == Some(false) {
                    return fail(Failure::CHANGED, session, cx).await;
                }
                return succeed(user, final_message.as_deref(), session, cx).await;
            }
            Step::Failure(failure) => return fail(failure, session, cx).await,
        };
    }
}

async fn succeed(
    user: BareJid,
    message: Option<&[u8]>,
    session: &Session,
    cx: &Context<Saslauth>,
) -> Result<Flow, StreamError> {
    session.set_user(user);
    cx.fire(AuthenticationSuccess { session: session.clone() }).await;
    session.send_nonza(&element("success", message));
    session.restart();
    Ok(Flow::Handled)
}

/// Counts an attempt that begins.
fn count(session: &Session) -> Result<(), StreamError> {
    let unchecked = session.with_slot(|slot: &mut Option<Attempts>| {
        let attempts = slot.get_or_insert_default();
        attempts.begun = attempts.begun.saturating_add(1);
        attempts.begun.saturating_sub(attempts.guesses)
    });
    if unchecked > MAX_UNCHECKED {
        return Err(StreamError::policy_violation().text("too many attempts without a password"));
    }
    Ok(())
}

async fn fail(
    Failure { condition, text, is_guess }: Failure,
    session: &Session,
    cx: &Context<Saslauth>,
) -> Result<Flow, StreamError> {
    refuse(condition.name(), text.into(), session, cx).await;
    if !is_guess {
        return Ok(Flow::Handled);
    }
    let guesses = session.with_slot(|slot: &mut Option<Attempts>| {
        let attempts = slot.get_or_insert_default();
        attempts.guesses = attempts.guesses.saturating_add(1);
        attempts.guesses
    });
    let limit = cx.max_failures.or(cx.host().settings().authentication_attempts);
    if guesses < limit.unwrap_or(MAX_GUESSES) {
        return Ok(Flow::Handled);
    }
    Err(StreamError::policy_violation().text("too many failed attempts"))
}

async fn refuse(
    condition: &'static str,
    text: Box<str>,
    session: &Session,
    cx: &Context<Saslauth>,
) {
    let (event_session, event_text) = (session.clone(), Some(text.clone()));
    cx.fire(AuthenticationFailure { session: event_session, condition, text: event_text }).await;
    let condition = ElementBuilder::new(condition, NS).build();
    let text = ElementBuilder::new("text", NS).attribute("xml:lang", "en").text(&text).build();
    session.send_nonza(&ElementBuilder::new("failure", NS).child(&condition).child(&text).build());
}

fn unavailable(error: StorageError) -> Step {
    tracing::error!(%error, "cannot read accounts");
    Step::Failure(Failure::UNAVAILABLE)
}

fn take_exchange(session: &Session) -> Option<Exchange> {
    session.with_slot(Option::take)
}

fn offered(session: &Session) -> Vec<Mechanism> {
    let settings = session.host().settings();
    mechanism::offered(
        session.is_encrypted(),
        session.tls_exporter().is_some(),
        settings.sasl.as_deref(),
        settings.allow_plaintext,
    )
}

fn binds_channel(mechanisms: &[Mechanism]) -> bool {
    mechanisms.iter().any(|mechanism| mechanism.binds_channel())
}

/// An element with base64 data. Empty data is written as `=` (RFC 6120 §6.4.2).
fn element(name: &str, data: Option<&[u8]>) -> Element {
    let text = match data {
        Some([]) => "=".to_owned(),
        Some(data) => BASE64.encode(data),
        None => String::new(),
    };
    ElementBuilder::new(name, NS).text(&text).build()
}

fn decode(text: &str) -> Result<Zeroizing<Vec<u8>>, Failure> {
    let text = if text == "=" { "" } else { text };
    let malformed = |_| Failure::new(SaslCondition::IncorrectEncoding, "the data is not base64");
    BASE64.decode(text).map(Zeroizing::new).map_err(malformed)
}
