//! Accounts and what is known of them, on their host.

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

    /// Somebody asks for a new account (XEP-0077); its name is normalised and free. A handler that
    /// returns `Flow::Handled` refuses it, with the error that it sets or else `not-allowed`.
    UserRegistering {
        /// The name in front of the `@`.
        username: Box<str>,
        /// The module that registers it.
        source: &'static str,
        /// The stream that asks, if it is one.
        session: Option<Session>,
        /// What whoever asked is told.
        error: Option<StanzaError>,
    } = "user-registering",
        "#[hook(\"user-registering\")]\nfn reserve(event: &mut UserRegistering) -> Flow {\n    if &*event.username == \"admin\" { Flow::Handled } else { Flow::Continue }\n}";

    /// An account was made by its user (XEP-0077). Not fired for accounts that the command line
    /// makes. Nothing can stop it.
    UserRegistered {
        /// The name in front of the `@`.
        username: Box<str>,
        /// The module that registered it.
        source: &'static str,
        /// The stream that asked, if it is one.
        session: Option<Session>,
    } = "user-registered",
        "#[hook(\"user-registered\")]\nfn note(event: &UserRegistered) {\n    println!(\"{} is new\", event.username);\n}";

    /// A user has removed the own account (XEP-0077 §3.2). `user-deleted` came before, and nothing
    /// is stored any more. Nothing can stop it.
    UserDeregistered {
        /// The name in front of the `@`.
        username: Box<str>,
        /// The module that removed it.
        source: &'static str,
        /// The stream that asked, if it is one.
        session: Option<Session>,
    } = "user-deregistered",
        "#[hook(\"user-deregistered\")]\nfn note(event: &UserDeregistered) {\n    println!(\"{} leaves\", event.username);\n}";

    /// An account is removed, by whomever: what is stored for it is about to be purged, once the
    /// handlers are done. Nothing can stop it.
    UserDeleted {
        /// The name in front of the `@`.
        username: Box<str>,
    } = "user-deleted",
        "#[hook(\"user-deleted\")]\nasync fn clean_up(event: &UserDeleted) {\n    println!(\"{} is gone\", event.username);\n}";

    /// An account has another password. Nothing can stop it.
    UserPasswordChanged {
        /// The name in front of the `@`.
        username: Box<str>,
        /// The session that changed it and stays; the others are closed.
        session: Option<Session>,
    } = "user-password-changed",
        "#[hook(\"user-password-changed\")]\nfn note(event: &UserPasswordChanged) {\n    println!(\"{} has another password\", event.username);\n}";

    /// A roster was read from storage. What handlers add is shown to the user and counts as a
    /// contact, but is not stored. Nothing can stop it.
    RosterLoad {
        /// Whose it is: the name in front of the `@`.
        username: Box<str>,
        /// The contacts.
        roster: Roster,
    } = "roster-load",
        "#[hook(\"roster-load\")]\nfn look(event: &mut RosterLoad) {\n    println!(\"{}: {} contacts\", event.username, event.roster.items().count());\n}";

    /// A contact was removed from a roster (RFC 6121 §2.5). Nothing can stop it.
    RosterItemRemoved {
        /// Whose roster it is: the name in front of the `@`.
        username: Box<str>,
        /// What the contact was.
        item: RosterItem,
        /// The session that removed it; none when the account goes.
        session: Option<Session>,
    } = "roster-item-removed",
        "#[hook(\"roster-item-removed\")]\nfn note(event: &RosterItemRemoved) {\n    println!(\"{} removed {}\", event.username, event.item.jid);\n}";

    /// Somebody who may asks what an account is and can (XEP-0030 §3.1). Nothing can stop it.
    AccountDiscoInfo {
        /// The account.
        account: BareJid,
        /// Who asks.
        from: Option<Jid>,
        /// The answer so far.
        info: DiscoInfoResult,
    } = "account-disco-info",
        "#[hook(\"account-disco-info\")]\nfn advertise(event: &mut AccountDiscoInfo) {\n    event.info.features.insert(\"urn:xmpp:mam:2\".into());\n}";

    /// Somebody who may asks what an account has (XEP-0030 §4.1). Nothing can stop it.
    AccountDiscoItems {
        /// The account.
        account: BareJid,
        /// Who asks.
        from: Option<Jid>,
        /// The answer so far.
        items: DiscoItemsResult,
    } = "account-disco-items",
        "#[hook(\"account-disco-items\")]\nfn look(event: &mut AccountDiscoItems) {\n    println!(\"{} items\", event.items.items.len());\n}";

    /// Somebody who may asks about a node of an account (XEP-0030 §3.2). Unless a handler sets
    /// `exists`, the answer is `item-not-found`.
    AccountDiscoInfoNode {
        /// The account.
        account: BareJid,
        /// Who asks.
        from: Option<Jid>,
        /// The node.
        node: Box<str>,
        /// Whether there is such a node.
        exists: bool,
        /// The answer so far.
        info: DiscoInfoResult,
    } = "account-disco-info-node",
        "#[hook(\"account-disco-info-node\")]\nfn look(event: &mut AccountDiscoInfoNode) {\n    event.exists |= &*event.node == \"example\";\n}";

    /// Somebody who may asks what a node of an account has (XEP-0030 §4.2). Unless a handler sets
    /// `exists`, the answer is `item-not-found`.
    AccountDiscoItemsNode {
        /// The account.
        account: BareJid,
        /// Who asks.
        from: Option<Jid>,
        /// The node.
        node: Box<str>,
        /// Whether there is such a node.
        exists: bool,
        /// The answer so far.
        items: DiscoItemsResult,
    } = "account-disco-items-node",
        "#[hook(\"account-disco-items-node\")]\nfn look(event: &mut AccountDiscoItemsNode) {\n    event.exists |= &*event.node == \"example\";\n}";

    /// Somebody asks what a host has (XEP-0030 §4.1). Nothing can stop it.
    HostDiscoItems {
        /// Who asks.
        from: Option<Jid>,
        /// The answer so far.
        items: DiscoItemsResult,
    } = "host-disco-items",
        "#[hook(\"host-disco-items\")]\nfn look(event: &mut HostDiscoItems) {\n    println!(\"{} items\", event.items.items.len());\n}";

    /// Somebody asks about a node of a host (XEP-0030 §3.2). Unless a handler sets `exists`, the
    /// answer is `item-not-found`.
    HostDiscoInfoNode {
        /// Who asks.
        from: Option<Jid>,
        /// The node.
        node: Box<str>,
        /// Whether there is such a node.
        exists: bool,
        /// The answer so far.
        info: DiscoInfoResult,
    } = "host-disco-info-node",
        "#[hook(\"host-disco-info-node\")]\nfn look(event: &mut HostDiscoInfoNode) {\n    event.exists |= &*event.node == \"example\";\n}";

    /// Somebody asks what a node of a host has (XEP-0030 §4.2). Unless a handler sets `exists`,
    /// the answer is `item-not-found`.
    HostDiscoItemsNode {
        /// Who asks.
        from: Option<Jid>,
        /// The node.
        node: Box<str>,
        /// Whether there is such a node.
        exists: bool,
        /// The answer so far.
        items: DiscoItemsResult,
    } = "host-disco-items-node",
        "#[hook(\"host-disco-items-node\")]\nfn look(event: &mut HostDiscoItemsNode) {\n    event.exists |= &*event.node == \"example\";\n}";

    /// A client has become available and may be given what was kept for its user. Fired by module
    /// `presence` after `presence/initial`, when the priority is not negative. `Flow::Handled`
    /// stops it: what is kept stays.
    MessageOfflineBroadcast {
        /// The session.
        session: Session,
    } = "message/offline/broadcast",
        "#[hook(\"message/offline/broadcast\")]\nfn look(event: &mut MessageOfflineBroadcast) -> Flow {\n    println!(\"{:?}\", event.session.jid());\n    Flow::Continue\n}";
}
