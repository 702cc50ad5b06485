//! What a client asks for with a roster set (RFC 6121 §2.3 to §2.5).

use std::collections::BTreeSet;

use event_core::{jid::BareJid, prelude::*, roster::RosterItem};

use super::{limits::RosterLimits, record::NS};

/// One change of the owner's.
#[derive(Debug)]
pub(super) struct Wish {
    pub(super) jid: BareJid,
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    Remove,
    Update { name: Option<String>, groups: BTreeSet<String> },
}

/// Reads the one item of a roster set. Whatever else it says of a subscription than `remove` is
/// ignored (§2.1.2.5): presence negotiates subscriptions.
pub(super) fn read(iq: &Iq, limits: &RosterLimits) -> Result<Wish, StanzaError> {
    let bad = |text: &str| StanzaError::bad_request().text(text);
    let query = iq.child("query", NS).ok_or_else(|| bad("no query"))?;
    let mut items = query.children();
    let item = match (items.next(), items.next()) {
        (Some(item), None) if item.is("item", NS) => item,
        _ => return Err(bad("a roster set has exactly one item")),
    };
    let jid = item.attribute("jid").ok_or_else(|| bad("an item needs a jid"))?;
    let jid = BareJid::new(&jid).map_err(|error| bad(&format!("not a bare JID: {error}")))?;
    if item.attribute("subscription").as_deref() == Some("remove") {
        return Ok(Wish { jid, kind: Kind::Remove });
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
            return Err(bad("a group is named twice"));
        }
        if groups.len() > limits.groups {
            return Err(StanzaError::not_acceptable().text("too many groups"));
        }
    }
    Ok(Wish { jid, kind: Kind::Update { name: name.map(|name| name.into_owned()), groups } })
}

impl Wish {
    pub(super) fn removes(&self) -> bool {
        matches!(self.kind, Kind::Remove)
    }

    /// What it makes of the contact as it is.
    pub(super) fn apply(
        &self,
        before: Option<&RosterItem>,
    ) -> Result<Option<RosterItem>, StanzaError> {
        match &self.kind {
            Kind::Remove if before.is_some_and(|before| before.is_listed) => Ok(None),
            Kind::Remove => Err(StanzaError::item_not_found().text("not in the roster")),
            Kind::Update { name, groups } => {
                let mut item = before.cloned().unwrap_or_else(|| RosterItem::new(self.jid.clone()));
                item.name.clone_from(name);
                item.groups.clone_from(groups);
                item.is_listed = true;
                Ok(Some(item))
            }
        }
    }
}
