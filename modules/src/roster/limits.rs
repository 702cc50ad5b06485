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
    /// The maximum size of all contacts, in bytes.
    pub(super) bytes: usize,
    /// The maximum length of a contact's or group's name, in bytes.
    pub(super) name: usize,
    /// The maximum number of groups of one contact.
    pub(super) groups: usize,
    pub(super) requests: usize,
    pub(super) requests_per_domain: usize,
    /// The maximum size of all requests, in bytes. A quarter is for one domain.
    pub(super) requests_bytes: usize,
}

/// An upper bound of the size of a contact as XML, in bytes.
fn size(item: &RosterItem) -> usize {
    /// `<item>` with all of its attributes, and a `<group>`.
    const ITEM: usize = 100;
    const GROUP: usize = 15;
    let escaped = |text: &str| {
        text.bytes().map(|byte| if b"&<>'\"".contains(&byte) { 6 } else { 1 }).sum::<usize>()
    };
    let groups = item.groups.iter().map(|group| escaped(group) + GROUP);
    ITEM + escaped(item.jid.as_str())
        + item.name.as_deref().map_or(0, escaped)
        + groups.sum::<usize>()
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
        let listed_size = |item: Option<&RosterItem>| item.filter(is_listed).map_or(0, size);
        let (old, new) = (listed_size(before), listed_size(after));
        if new > old && roster.items().map(size).sum::<usize>() - old + new > self.bytes {
            let text = "the names and groups of the roster are too long together";
            return Err(StanzaError::resource_constraint().text(text));
        }
        let asks = |item: &&RosterItem| item.request.is_some();
        let request_size =
            |item: &RosterItem| item.request.as_ref().map_or(0, |request| request.as_bytes().len());
        let Some(new) = after.filter(asks).filter(|_| before.filter(asks).is_none()) else {
            return Ok(());
        };
        let (mut all, mut of_domain) = ((0, request_size(new)), (0, request_size(new)));
        for other in roster.contacts().filter(asks) {
            all = (all.0 + 1, all.1 + request_size(other));
            if other.jid.domain() == jid.domain() {
                of_domain = (of_domain.0 + 1, of_domain.1 + request_size(other));
            }
        }
        let is_full = all.0 >= self.requests || all.1 > self.requests_bytes;
        if is_full
            || of_domain.0 >= self.requests_per_domain
            || of_domain.1 > self.requests_bytes / 4
        {
            let text = "too many subscription requests wait for an answer";
            return Err(StanzaError::resource_constraint().text(text));
        }
        Ok(())
    }
}
