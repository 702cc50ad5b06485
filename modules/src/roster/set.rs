//! Roster sets of clients (RFC 6121 §2.3 to §2.5).

use std::collections::BTreeSet;

use event_core::{jid::BareJid, prelude::*, roster::RosterItem};

use super::{limits::RosterLimits, record::NS};

/// A change of one contact by the roster's owner.
#[derive(Debug)]
pub(super) struct RosterSet {
    pub(super) jid: BareJid,
    change: Change,
}

#[derive(Debug)]
enum Change {
    Remove,
    Update { name: Option<String>, groups: BTreeSet<String> },
}

/// Reads the one item of a roster set. Values of `subscription` other than `remove` are ignored
/// (§2.1.2.5).
pub(super) fn read(iq: &Iq, limits: &RosterLimits) -> Result<RosterSet, StanzaError> {
    let bad = |text: &str| StanzaError::bad_request().text(text);
    let query = iq.child("query", NS).ok_or_else(|| bad("the query is missing"))?;
    let mut items = query.children();
    let item = match (items.next(), items.next()) {
        (Some(item), None) if item.is("item", NS) => item,
        _ => return Err(bad("a roster set must have exactly one item")),
    };
    let jid = item.attribute("jid").ok_or_else(|| bad("an item needs a jid"))?;
    let jid = BareJid::new(&jid).map_err(|error| bad(&format!("not a bare JID: {error}")))?;
    if item.attribute("subscription").as_deref() == Some("remove") {
        return Ok(RosterSet { jid, change: Change::Remove });
    }
    let too_long = |what| StanzaError::not_acceptable().text(format!("the {what} is too long"));
    let name = item.attribute("name").filter(|name| !name.is_empty());
    if name.as_ref().is_some_and(|name| name.len() > limits.name) {
        return Err(too_long("name"));
    }
    let mut groups = BTreeSet::new();
    for group in item.children().filter(|child| child.is("group", NS)) {
        let group = group.text();
        if group.is_empty() {
            return Err(StanzaError::not_acceptable().text("a group needs a name"));
        }
        if group.len() > limits.name {
            return Err(too_long("name of a group"));
        }
        if !groups.insert(group.into_owned()) {
            return Err(bad("a group occurs twice"));
        }
        if groups.len() > limits.groups {
            return Err(StanzaError::not_acceptable().text("too many groups"));
        }
    }
    Ok(RosterSet {
        jid,
        change: Change::Update { name: name.map(|name| name.into_owned()), groups },
    })
}

impl RosterSet {
    pub(super) fn removes(&self) -> bool {
        matches!(self.change, Change::Remove)
    }

    /// The contact after the change.
    pub(super) fn apply(
        &self,
        before: Option<&RosterItem>,
    ) -> Result<Option<RosterItem>, StanzaError> {
        match &self.change {
            Change::Remove if before.is_some_and(|before| before.is_listed) => Ok(None),
            Change::Remove => {
                Err(StanzaError::item_not_found().text("the contact is not in the roster"))
            }
            Change::Update { name, groups } => {
                let mut item = before.cloned().unwrap_or_else(|| RosterItem::new(self.jid.clone()));
                item.name.clone_from(name);
                item.groups.clone_from(groups);
                item.is_listed = true;
                Ok(Some(item))
            }
        }
    }
}
