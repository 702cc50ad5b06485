//! Who fires an event.

use event_catalogue::{EVENTS, EventDef, Parameter};

use crate::events::{
    account::{
        AccountDiscoInfo, AccountDiscoInfoNode, AccountDiscoItems, AccountDiscoItemsNode,
        HostDiscoInfoNode, HostDiscoItems, HostDiscoItemsNode, MessageOfflineBroadcast,
        RosterItemRemoved, RosterLoad, UserDeregistered, UserRegistered, UserRegistering,
    },
    component::ComponentAuthenticated,
    info::EventInfo,
    s2s::{S2sAuthenticated, S2sInEstablished, S2sOutEstablished},
    session::{AuthenticationAttempt, AuthenticationFailure, AuthenticationSuccess},
    stanza::{MessageBareGroupchat, MessageOfflineHandle, PresenceInitial},
    traits::Event,
};

/// The events of the catalogue that only modules fire; a module's `#[module(fires = […])]` names
/// them. The server fires all others.
const FIRED_BY_MODULES: [&EventInfo; 23] = [
    PresenceInitial::INFO,
    MessageOfflineHandle::INFO,
    MessageBareGroupchat::INFO,
    MessageOfflineBroadcast::INFO,
    AuthenticationAttempt::INFO,
    AuthenticationSuccess::INFO,
    AuthenticationFailure::INFO,
    UserRegistering::INFO,
    UserRegistered::INFO,
    UserDeregistered::INFO,
    RosterLoad::INFO,
    RosterItemRemoved::INFO,
    AccountDiscoInfo::INFO,
    AccountDiscoItems::INFO,
    AccountDiscoInfoNode::INFO,
    AccountDiscoItemsNode::INFO,
    HostDiscoItems::INFO,
    HostDiscoInfoNode::INFO,
    HostDiscoItemsNode::INFO,
    ComponentAuthenticated::INFO,
    S2sAuthenticated::INFO,
    S2sInEstablished::INFO,
    S2sOutEstablished::INFO,
];

/// Whether only modules fire the event of this name: it is declared with `#[event]`, or one of the
/// catalogue's that the server itself does not fire.
pub fn is_fired_by_modules(event: &str) -> bool {
    // Behind an open head stands an element, `XMLNS:TAG`, or an id; no declared name has a colon.
    let is_known = |known: &EventDef| match known.parameter {
        Parameter::None => event == known.name,
        Parameter::Payload => event.starts_with(known.head()) && event.contains(':'),
        Parameter::Id => event.starts_with(known.head()),
    };
    !EVENTS.iter().any(is_known) || FIRED_BY_MODULES.iter().any(|fired| fired.name == event)
}
