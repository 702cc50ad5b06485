//! Resource binding (RFC 6120 §7).

use event_core::{
    events::{AuthenticationAttempt, PreResourceBind},
    prelude::*,
    services::Accounts,
    xmpp_parsers::bind::{BindQuery, BindResponse},
};

/// Binds a resource for each client. The client's full JID contains the resource.
#[module(after = ["saslauth"])]
pub struct Bind;

#[hook("stream-features")]
fn offer(event: &mut StreamFeatures) {
    if event.session.user().is_some() && event.session.jid().is_none() {
        let feature = ElementBuilder::new("bind", "urn:ietf:params:xml:ns:xmpp-bind");
        event.features.push(feature.build());
    }
}

#[hook("stanza/iq/urn:ietf:params:xml:ns:xmpp-bind:bind")]
async fn bind(iq: &mut Iq, cx: &Context<Bind>) -> Result<Flow, StanzaError> {
    let session = iq.origin().session().filter(|session| session.user().is_some());
    let Some(session) = session.cloned() else {
        return Ok(Flow::Continue);
    };
    if iq.iq_type() != IqType::Set {
        return Err(StanzaError::bad_request());
    }
    let BindQuery { resource } = iq.payload()?;
    let jid = cx.bind(&session, resource.as_deref()).await?.clone();
    cx.answer_later(iq).reply_with(BindResponse { jid });
    Ok(Flow::Handled)
}

/// The value of [`Accounts::removals`] when the client began to authenticate.
struct Removals(u64);

#[hook("authentication-attempt")]
fn note_removals(attempt: &mut AuthenticationAttempt, cx: &Context<Bind>) {
    let accounts = cx.host().service::<dyn Accounts>();
    let removals = accounts.and_then(|accounts| accounts.removals());
    attempt.session.with_slot(|slot| *slot = removals.map(Removals));
}

/// Refuses to bind if the account was removed since authentication, because another user may have
/// registered the name.
#[hook("pre-resource-bind")]
async fn refuse_removed_account(event: &mut PreResourceBind, cx: &Context<Bind>) -> Flow {
    let (Some(account), Some(accounts)) =
        (event.session.user(), cx.host().service::<dyn Accounts>())
    else {
        return Flow::Continue;
    };
    let noted = event.session.with_slot(|slot: &mut Option<Removals>| slot.take());
    if noted.is_some_and(|Removals(noted)| accounts.removals() == Some(noted)) {
        return Flow::Continue;
    }
    event.error = match accounts.exists(account).await {
        Ok(true) => return Flow::Continue,
        Ok(false) => Some(StanzaError::not_authorized().text("the account was removed")),
        Err(error) => Some(error.into()),
    };
    Flow::Handled
}

/// A stream can bind one resource only (RFC 6120 §7.1).
#[hook("iq-set/self/urn:ietf:params:xml:ns:xmpp-bind:bind")]
#[hook("iq-set/host/urn:ietf:params:xml:ns:xmpp-bind:bind")]
fn refuse(_: &mut Iq) -> Result<Reply, StanzaError> {
    Err(StanzaError::not_allowed().text("a resource is already bound"))
}
