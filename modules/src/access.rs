//! Who may know of an account: what several modules ask before they answer for one.

use event_core::{
    jid::{BareJid, Jid},
    prelude::*,
    services::Rosters,
};

/// The account that an iq to a bare or full JID is about: without `to`, the sender's own.
pub(crate) fn account(iq: &Iq) -> Result<BareJid, StanzaError> {
    let account = iq.to().or(iq.from()).map(Jid::to_bare);
    account.ok_or_else(StanzaError::bad_request)
}

/// Whether the sender may see the presence of the account its iq is about: the owner may, and who
/// has a subscription to it (RFC 6121 §2.1.2.5). An account that does not exist has none.
pub(crate) async fn may_see(iq: &Iq, host: &Host) -> Result<bool, StanzaError> {
    let Some(to) = iq.to() else { return Ok(true) };
    let (Some(from), Some(username)) = (iq.from().map(Jid::to_bare), to.node()) else {
        return Ok(false);
    };
    if from == to.to_bare() {
        return Ok(true);
    }
    let Some(rosters) = host.service::<dyn Rosters>() else { return Ok(false) };
    Ok(rosters.roster(username.as_str()).await?.may_see(&from))
}
