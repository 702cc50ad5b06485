//! The rosters of a host, as a service.

use std::sync::Arc;

use jid::BareJid;
use xmpp_xml::Element;

use crate::{
    protocol::stanza_error::StanzaError,
    roster::{Roster, SubscriptionType, Transition},
    storage::StorageResult,
    util::future::BoxFuture,
};

/// The rosters of a host's accounts. Module `roster` offers this service.
///
/// A handler of `roster-load` must not use this service, because the handler runs while the roster
/// is being read.
pub trait Rosters: Send + Sync {
    /// The roster of an account; empty if the account does not exist. The storage is not read while
    /// the user is online.
    ///
    /// # Errors
    /// The storage failed.
    fn roster<'a>(&'a self, username: &'a str) -> BoxFuture<'a, StorageResult<Arc<Roster>>>;

    /// Applies a subscription stanza between an account and a contact to the roster (RFC 6121 §3):
    /// stores the new state, delivers an inbound stanza to the clients that must get the stanza,
    /// and sends roster pushes.
    ///
    /// # Errors
    /// A limit was reached, or the storage failed. The roster is then unchanged.
    fn subscription<'a>(
        &'a self,
        username: &'a str,
        contact: &'a BareJid,
        direction: Direction,
        kind: SubscriptionType,
        stanza: &'a Element,
    ) -> BoxFuture<'a, Result<Transition, StanzaError>>;
}

/// The direction of a stanza, as seen by the roster's owner.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Direction {
    /// From the contact to the owner.
    Inbound,
    /// From the owner to the contact.
    Outbound,
}
