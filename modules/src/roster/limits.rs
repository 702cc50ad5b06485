//! The limits of a roster.

use event_core::{
    StanzaError,
    jid::BareJid,
    roster::{Roster, RosterItem},
};

/// The limits of one user's roster.
#[derive(Clone, Copy, Debug)]
pub(super) struct RosterLimits {
    pub(super) contacts: usize,
    /// The maximum length of a contact's or group's name, in bytes.
    pub(super) name: usize,
    /// The maximum number of groups of one contact.
    pub(super) groups: usize,
    pub(super) requests: usize,
    pub(super) requests_per_domain: usize,
}

impl RosterLimits {
    /// Checks whether the contact `jid` may change to `after`.
    pub(super) fn check(
        self,
        roster: &Roster,
        jid: &BareJid,
        after: Option<&RosterItem>,
    ) -> Result<(), StanzaError> {
        let before = roster.get(jid);
        let is_listed = |item: &&RosterItem| item.is_listed;
        if after.filter(is_listed).is_some()
            && before.filter(is_listed).is_none()
            && roster.items().count() >= self.contacts
        {
            return Err(StanzaError::resource_constraint().text("the roster is full"));
        }
        let asks = |item: &&RosterItem| item.request.is_some();
        if after.filter(asks).is_none() || before.filter(asks).is_some() {
            return Ok(());
        }
        let (mut all, mut of_domain) = (0, 0);
        for other in roster.contacts().filter(asks) {
            all += 1;
            of_domain += usize::from(other.jid.domain() == jid.domain());
        }
        if all >= self.requests || of_domain >= self.requests_per_domain {
            let text = "too many subscription requests wait for an answer";
            return Err(StanzaError::resource_constraint().text(text));
        }
        Ok(())
    }
}
