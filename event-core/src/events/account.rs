//! Events of accounts, rosters and service discovery, on the host of the account.

use jid::{BareJid, Jid};
use xmpp_parsers::disco::{DiscoInfoResult, DiscoItemsResult};

use crate::{
    events::declare::payload_events,
    protocol::stanza_error::StanzaError,
    roster::{Roster, RosterItem},
    session::session::Session,
};

payload_events! {
    const ACCOUNT;

    /// A client requests a new account (XEP-0077). The name is normalised and not in use.
    /// `Flow::Handled` refuses the request with `error`, or with `not-allowed` when `error` is
    /// `None`; otherwise the account is created.
    UserRegistering {
        /// The localpart of the account.
        username: Box<str>,
        /// The module that handles the registration.
        source: &'static str,
        /// The stream of the request, if the request came from a stream.
        session: Option<Session>,
        /// The error for the client when a handler refuses the request.
        error: Option<StanzaError>,
    } = "user-registering",
        "#[hook(\"user-registering\")]\nfn reserve(event: &mut UserRegistering) -> Flow {\n    if &*event.username == \"admin\" { Flow::Handled } else { Flow::Continue }\n}";

    /// A client has created an account (XEP-0077). Accounts created on the command line do not fire
    /// this event. No handler can stop this event.
    UserRegistered {
        /// The localpart of the account.
        username: Box<str>,
        /// The module that handled the registration.
        source: &'static str,
        /// The stream of the request, if the request came from a stream.
        session: Option<Session>,
    } = "user-registered",
        "#[hook(\"user-registered\")]\nfn note(event: &UserRegistered) {\n    println!(\"{} is new\", event.username);\n}";

    /// A user has removed the user's own account (XEP-0077 §3.2). `user-deleted` has fired before,
    /// and all data of the account is purged. No handler can stop this event.
    UserDeregistered {
        /// The localpart of the account.
        username: Box<str>,
        /// The module that handled the request.
        source: &'static str,
        /// The stream of the request, if the request came from a stream.
        session: Option<Session>,
    } = "user-deregistered",
        "#[hook(\"user-deregistered\")]\nfn note(event: &UserDeregistered) {\n    println!(\"{} removed the account\", event.username);\n}";

    /// An account is being removed. The data of the account is purged after all handlers have
    /// returned. No handler can stop this event.
    UserDeleted {
        /// The localpart of the account.
        username: Box<str>,
    } = "user-deleted",
        "#[hook(\"user-deleted\")]\nasync fn clean_up(event: &UserDeleted) {\n    println!(\"{} is removed\", event.username);\n}";

    /// The password of an account has been changed. No handler can stop this event.
    UserPasswordChanged {
        /// The localpart of the account.
        username: Box<str>,
        /// The session that changed the password; all other sessions of the account are closed.
        session: Option<Session>,
    } = "user-password-changed",
        "#[hook(\"user-password-changed\")]\nfn note(event: &UserPasswordChanged) {\n    println!(\"{} has a new password\", event.username);\n}";

    /// A roster has been read from storage. Items added by handlers are shown to the user and count
    /// as contacts, but are not stored. No handler can stop this event.
    RosterLoad {
        /// The localpart of the roster's owner.
        username: Box<str>,
        /// The roster.
        roster: Roster,
    } = "roster-load",
        "#[hook(\"roster-load\")]\nfn look(event: &mut RosterLoad) {\n    println!(\"{}: {} contacts\", event.username, event.roster.items().count());\n}";

    /// A contact has been removed from a roster (RFC 6121 §2.5). No handler can stop this event.
    RosterItemRemoved {
        /// The localpart of the roster's owner.
        username: Box<str>,
        /// The removed item.
        item: RosterItem,
        /// The session that removed the contact; `None` when the account is removed.
        session: Option<Session>,
    } = "roster-item-removed",
        "#[hook(\"roster-item-removed\")]\nfn note(event: &RosterItemRemoved) {\n    println!(\"{} removed {}\", event.username, event.item.jid);\n}";

    /// An entity that may see the account requests the account's identities and features (XEP-0030
    /// §3.1). The answer contains everything that handlers add. No handler can stop this event.
    AccountDiscoInfo {
        /// The account.
        account: BareJid,
        /// The sender of the request.
        from: Option<Jid>,
        /// The answer, to which handlers add.
        info: DiscoInfoResult,
    } = "account-disco-info",
        "#[hook(\"account-disco-info\")]\nfn advertise(event: &mut AccountDiscoInfo) {\n    event.info.features.insert(\"urn:xmpp:mam:2\".into());\n}";

    /// An entity that may see the account requests the account's items (XEP-0030 §4.1). The answer
    /// contains everything that handlers add. No handler can stop this event.
    AccountDiscoItems {
        /// The account.
        account: BareJid,
        /// The sender of the request.
        from: Option<Jid>,
        /// The answer, to which handlers add.
        items: DiscoItemsResult,
    } = "account-disco-items",
        "#[hook(\"account-disco-items\")]\nfn look(event: &mut AccountDiscoItems) {\n    println!(\"{} items\", event.items.items.len());\n}";

    /// An entity that may see the account requests the identities and features of one of the
    /// account's nodes (XEP-0030 §3.2). When no handler sets `exists`, the answer is
    /// `item-not-found`.
    AccountDiscoInfoNode {
        /// The account.
        account: BareJid,
        /// The sender of the request.
        from: Option<Jid>,
        /// The node.
        node: Box<str>,
        /// Whether the node exists.
        exists: bool,
        /// The answer, to which handlers add.
        info: DiscoInfoResult,
    } = "account-disco-info-node",
        "#[hook(\"account-disco-info-node\")]\nfn look(event: &mut AccountDiscoInfoNode) {\n    event.exists |= &*event.node == \"example\";\n}";

    /// An entity that may see the account requests the items of one of the account's nodes
    /// (XEP-0030 §4.2). When no handler sets `exists`, the answer is `item-not-found`.
    AccountDiscoItemsNode {
        /// The account.
        account: BareJid,
        /// The sender of the request.
        from: Option<Jid>,
        /// The node.
        node: Box<str>,
        /// Whether the node exists.
        exists: bool,
        /// The answer, to which handlers add.
        items: DiscoItemsResult,
    } = "account-disco-items-node",
        "#[hook(\"account-disco-items-node\")]\nfn look(event: &mut AccountDiscoItemsNode) {\n    event.exists |= &*event.node == \"example\";\n}";

    /// An entity requests the items of a host (XEP-0030 §4.1). The answer contains everything that
    /// handlers add. No handler can stop this event.
    HostDiscoItems {
        /// The sender of the request.
        from: Option<Jid>,
        /// The answer, to which handlers add.
        items: DiscoItemsResult,
    } = "host-disco-items",
        "#[hook(\"host-disco-items\")]\nfn look(event: &mut HostDiscoItems) {\n    println!(\"{} items\", event.items.items.len());\n}";

    /// An entity requests the identities and features of one of the host's nodes (XEP-0030 §3.2).
    /// When no handler sets `exists`, the answer is `item-not-found`.
    HostDiscoInfoNode {
        /// The sender of the request.
        from: Option<Jid>,
        /// The node.
        node: Box<str>,
        /// Whether the node exists.
        exists: bool,
        /// The answer, to which handlers add.
        info: DiscoInfoResult,
    } = "host-disco-info-node",
        "#[hook(\"host-disco-info-node\")]\nfn look(event: &mut HostDiscoInfoNode) {\n    event.exists |= &*event.node == \"example\";\n}";

    /// An entity requests the items of one of the host's nodes (XEP-0030 §4.2). When no handler
    /// sets `exists`, the answer is `item-not-found`.
    HostDiscoItemsNode {
        /// The sender of the request.
        from: Option<Jid>,
        /// The node.
        node: Box<str>,
        /// Whether the node exists.
        exists: bool,
        /// The answer, to which handlers add.
        items: DiscoItemsResult,
    } = "host-disco-items-node",
        "#[hook(\"host-disco-items-node\")]\nfn look(event: &mut HostDiscoItemsNode) {\n    event.exists |= &*event.node == \"example\";\n}";

    /// A client has become available with a priority that is not negative, so the user's stored
    /// messages can be delivered to the client. Fired by module `presence` after
    /// `presence/initial`. `Flow::Handled` leaves the messages in the store; otherwise the messages
    /// are delivered.
    MessageOfflineBroadcast {
        /// The session of the client.
        session: Session,
    } = "message/offline/broadcast",
        "#[hook(\"message/offline/broadcast\")]\nfn look(event: &mut MessageOfflineBroadcast) -> Flow {\n    println!(\"{:?}\", event.session.jid());\n    Flow::Continue\n}";
}
