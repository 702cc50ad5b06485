//! Presence probes (RFC 6121 §4.3).

use event_core::{Module, prelude::*};

use super::send::{send_available, typed};
use crate::{lookup, stanzas};

/// Answers a probe (RFC 6121 §4.3.2).
pub(super) async fn answer(
    presence: &Presence,
    cx: &Context<impl Module>,
) -> Result<(), StanzaError> {
    let (Some(to), Some(from)) = (presence.to(), presence.from()) else { return Ok(()) };
    let (account, asker) = (to.to_bare(), from.to_bare());
    let Some(username) = account.node().map(|node| node.as_str()) else { return Ok(()) };
    let roster = lookup::roster(username, cx.host()).await?;
    if account != asker && !roster.may_see(&asker) {
        // The answer is the same if the account does not exist. A pending request is not refused.
        let is_pending = roster.get(&asker).is_some_and(|contact| contact.request.is_some());
        let answer = if is_pending { "unavailable" } else { "unsubscribed" };
        cx.send(typed(&account, asker.as_str(), Some(answer)));
        return Ok(());
    }
    if let Ok(full) = to.try_as_full() {
        let session = cx.host().sessions().find(full);
        match session.and_then(|session| session.presence()) {
            Some(theirs) => cx.send_to(&theirs.presence, [from.clone()]),
            None => cx.send(stanzas::unavailable(to.as_str(), Some(from.as_str()))),
        }
    } else if send_available(username, from, cx) == 0 {
        cx.send(stanzas::unavailable(to.as_str(), Some(from.as_str())));
    }
    Ok(())
}
