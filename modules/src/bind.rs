//! Resource binding (RFC 6120 §7).

use event_core::{
    events::{AuthenticationSuccess, PreResourceBind},
    prelude::*,
    services::Accounts,
    xmpp_parsers::bind::{BindQuery, BindResponse},
};

use crate::generation;

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

/// Notes the generation for modules that authenticate without noting it themselves.
#[hook("authentication-success")]
fn note_generation(success: &AuthenticationSuccess, cx: &Context<Bind>) {
    let session = &success.session;
    if let Some((account, accounts)) = session.user().zip(cx.host().service::<dyn Accounts>())
        && generation::is_unchanged(session, account, &*accounts).is_none()
    {
        generation::note(session, account, &*accounts);
    }
}

/// Refuses to bind if the password was changed or the account was removed since authentication,
/// because another user may have registered the name.
#[hook("pre-resource-bind")]
async fn refuse_changed_account(event: &mut PreResourceBind, cx: &Context<Bind>) -> Flow {
    let (Some(account), Some(accounts)) =
        (event.session.user(), cx.host().service::<dyn Accounts>())
    else {
        return Flow::Continue;
    };
    let exists = match generation::is_unchanged(&event.session, account, &*accounts) {
        Some(is_unchanged) => Ok(is_unchanged),
        None => accounts.exists(account).await,
    };
    event.error = match exists {
        Ok(true) => return Flow::Continue,
        Ok(false) => {
            event.session.close(changed());
            Some(StanzaError::not_authorized())
        }
        Err(error) => Some(error.into()),
    };
    Flow::Handled
}

/// Ends a stream whose account changed between `pre-resource-bind` and this event. A later change
/// finds the bound session.
#[hook("resource-bind", priority = 1000)]
fn end_changed_account(event: &ResourceBind, cx: &Context<Bind>) {
    let session = &event.session;
    if let Some((account, accounts)) = session.user().zip(cx.host().service::<dyn Accounts>())
        && generation::is_unchanged(session, account, &*accounts) == Some(false)
    {
        session.close(changed());
    }
    generation::forget(session);
}

fn changed() -> StreamError {
    StreamError::not_authorized().text("the password was changed, or the account was removed")
}

/// A stream can bind one resource only (RFC 6120 §7.1).
#[hook("iq-set/self/urn:ietf:params:xml:ns:xmpp-bind:bind")]
#[hook("iq-set/host/urn:ietf:params:xml:ns:xmpp-bind:bind")]
fn refuse(_: &mut Iq) -> Result<Reply, StanzaError> {
    Err(StanzaError::not_allowed().text("a resource is already bound"))
}
