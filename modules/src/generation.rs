//! The generation of an account that a client logs in to: its password must not change, and the
//! account must not be removed, until the client is bound.

use event_core::{jid::BareJid, prelude::*, services::Accounts};

/// The generation of the account before its keys were read.
struct Noted(BareJid, u64);

/// Notes the generation, before the account's keys are read.
pub(crate) fn note(session: &Session, account: &BareJid, accounts: &dyn Accounts) {
    let generation = accounts.generation(account);
    session.with_slot(|slot| {
        *slot = generation.map(|generation| Noted(account.clone(), generation));
    });
}

/// Whether the account has not changed since its generation was noted. `None` if nothing was noted
/// for this account.
pub(crate) fn is_unchanged(
    session: &Session,
    account: &BareJid,
    accounts: &dyn Accounts,
) -> Option<bool> {
    let generation = accounts.generation(account)?;
    session.with_slot(|slot: &mut Option<Noted>| {
        let Noted(noted, at) = slot.as_ref()?;
        (noted == account).then_some(*at == generation)
    })
}

/// Forgets what was noted.
pub(crate) fn forget(session: &Session) {
    session.with_slot(|slot: &mut Option<Noted>| *slot = None);
}
