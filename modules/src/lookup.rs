//! Lookups of accounts and rosters that several modules need.

use std::sync::Arc;

use event_core::{
    jid::{BareJid, Jid},
    prelude::*,
    roster::Roster,
    services::{Accounts, Rosters},
    storage::StorageResult,
};

/// The account that an iq is addressed to; without `to`, the account of the sender.
pub(crate) fn account(iq: &Iq) -> Result<BareJid, StanzaError> {
    let account = iq.to().or(iq.from()).map(Jid::to_bare);
    account.ok_or_else(StanzaError::bad_request)
}

/// The local session that sent an iq, and its username.
pub(crate) fn local_sender(iq: &Iq) -> Option<(Session, String)> {
    let session = iq.origin().session()?;
    let username = session.user()?.node()?.as_str().to_owned();
    Some((session.clone(), username))
}

/// The username of the sender. An iq with `to` is refused: only the owner may send the request.
pub(crate) fn owner(iq: &Iq) -> Result<String, StanzaError> {
    let owner = iq.from().and_then(|from| from.node()).filter(|_| iq.to().is_none());
    owner.map(ToString::to_string).ok_or_else(StanzaError::forbidden)
}

/// Whether an account exists; false on hosts without accounts.
pub(crate) async fn exists(account: &BareJid, host: &Host) -> StorageResult<bool> {
    match host.service::<dyn Accounts>() {
        Some(accounts) => accounts.exists(account).await,
        None => Ok(false),
    }
}

/// The roster of an account; empty on hosts without rosters.
pub(crate) async fn roster(username: &str, host: &Host) -> StorageResult<Arc<Roster>> {
    match host.service::<dyn Rosters>() {
        Some(rosters) => rosters.roster(username).await,
        None => Ok(Arc::default()),
    }
}

/// Whether the sender of an iq may see the presence of the addressed account: the sender owns the
/// account or is subscribed to it (RFC 6121 §2.1.2.5). False if the account does not exist.
pub(crate) async fn may_see(iq: &Iq, host: &Host) -> StorageResult<bool> {
    let Some(to) = iq.to() else { return Ok(true) };
    let (Some(from), Some(username)) = (iq.from().map(Jid::to_bare), to.node()) else {
        return Ok(false);
    };
    Ok(from == to.to_bare() || roster(username.as_str(), host).await?.may_see(&from))
}
