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

/// The contacts of the host's accounts; module `roster` offers it.
///
/// It is not to be asked from a handler of `roster-load`, which runs while the roster is read.
pub trait Rosters: Send + Sync {
    /// The roster of an account; an empty one where there is no such account. For a user who is
    /// online it costs no access to the storage.
    fn roster<'a>(&'a self, username: &'a str) -> BoxFuture<'a, StorageResult<Arc<Roster>>>;

    /// Takes a subscription stanza between the account and a contact into the roster
    /// (RFC 6121 §3): when it returns, the new state is stored, an inbound stanza that passes has
    /// gone to the clients it is for, and clients that follow the roster were told.
    ///
    /// # Errors
    /// A limit was reached, or the storage failed; then nothing has changed.
    fn subscription<'a>(
        &'a self,
        username: &'a str,
        contact: &'a BareJid,
        direction: Direction,
        kind: SubscriptionType,
        stanza: &'a Element,
    ) -> BoxFuture<'a, Result<Transition, StanzaError>>;
}

/// Which way a stanza goes, as the roster's owner sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Direction {
    /// From the contact to the owner.
    Inbound,
    /// From the owner to the contact.
    Outbound,
}
