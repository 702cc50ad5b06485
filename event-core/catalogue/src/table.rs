//! The table of events: the only place where their names are defined.

use Family::{
    Chain, Collect, IqId, IqPayload, Nonza, Notification, Post, Pre, RouteRemote, StreamIq,
    StreamStanza, Veto,
};

/// Where an event fires.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scope {
    /// On one host.
    Host,
    /// For the whole server.
    Global,
}

/// What handlers of an event take and return.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Family {
    /// `&P`, nothing.
    Notification,
    /// `&mut P`, nothing.
    Collect,
    /// `&mut P`, `Flow`.
    Veto,
    /// `&mut P`, `Flow` or a `Result` of it: `pre-NAME/DEST`.
    Pre,
    /// Depends on the band of the priority: `NAME/DEST` and `NAME/self`.
    Post,
    /// `&mut Iq`, `Reply`, `Flow` or a `Result` of them: `iq/…/XMLNS:TAG`, `iq-get`, `iq-set`.
    IqPayload,
    /// `&Iq`, `Flow`: `iq-result` and `iq-error`.
    IqId,
    /// `&mut Stanza`, `Flow` or a `Result` of it: `route/remote`.
    RouteRemote,
    /// `&mut Iq`, `Reply`, `Flow` or a `Result` of them: `stanza/iq/XMLNS:TAG`.
    StreamIq,
    /// `&mut P`, `Flow` or a `Result` of it: `stanza/message` and `stanza/presence`.
    StreamStanza,
    /// `&mut Nonza`, `Flow` or a `Result` of it with a stream error: `stanza/XMLNS:TAG`.
    Nonza,
    /// `&mut P`, `Flow` or a `Result` of it: `message/offline/handle` and similar events.
    Chain,
}

/// The open part at the end of a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Parameter {
    /// The name is closed.
    None,
    /// `XMLNS:TAG`, the namespace and name of an element.
    Payload,
    /// `ID`, the id of an iq.
    Id,
}

/// One event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct EventDef {
    /// The index of the event in [`EVENTS`].
    pub id: u16,
    /// The name, ending in `XMLNS:TAG` or `ID` where it is open.
    pub name: &'static str,
    /// The name of the event's type.
    pub marker: &'static str,
    /// The name of the payload type.
    pub payload: &'static str,
    /// What handlers take and return.
    pub family: Family,
    /// Where it fires.
    pub scope: Scope,
    /// The open part of the name.
    pub parameter: Parameter,
}

impl EventDef {
    /// The fixed part of the name: the name without `XMLNS:TAG` or `ID`.
    #[must_use]
    pub fn head(&self) -> &'static str {
        let placeholder = match self.parameter {
            Parameter::None => "",
            Parameter::Payload => "XMLNS:TAG",
            Parameter::Id => "ID",
        };
        self.name.strip_suffix(placeholder).unwrap_or(self.name)
    }
}

/// Every event; an event's id is its index.
pub const EVENTS: &[EventDef] = &[
    // The server itself.
    global(0, "server-starting", "ServerStarting"),
    global(1, "server-started", "ServerStarted"),
    global(2, "server-stopping", "ServerStopping"),
    global(3, "server-stopped", "ServerStopped"),
    global(4, "config-reloaded", "ConfigReloaded"),
    // User sessions.
    plain(
        5,
        "authentication-success",
        "AuthenticationSuccess",
        "AuthenticationSuccess",
        Notification,
    ),
    plain(
        6,
        "authentication-failure",
        "AuthenticationFailure",
        "AuthenticationFailure",
        Notification,
    ),
    plain(7, "resource-bind", "ResourceBind", "ResourceBind", Notification),
    plain(8, "resource-unbind", "ResourceUnbind", "ResourceUnbind", Notification),
    plain(9, "pre-resource-unbind", "PreResourceUnbind", "PreResourceUnbind", Veto),
    plain(10, "stream-features", "StreamFeatures", "StreamFeatures", Collect),
    // Stanzas from local clients.
    plain(11, "pre-message/full", "PreMessageFull", "Message", Pre),
    plain(12, "pre-message/bare", "PreMessageBare", "Message", Pre),
    plain(13, "pre-message/host", "PreMessageHost", "Message", Pre),
    plain(14, "pre-presence/full", "PrePresenceFull", "Presence", Pre),
    plain(15, "pre-presence/bare", "PrePresenceBare", "Presence", Pre),
    plain(16, "pre-presence/host", "PrePresenceHost", "Presence", Pre),
    plain(17, "pre-iq/full", "PreIqFull", "Iq", Pre),
    plain(18, "pre-iq/bare", "PreIqBare", "Iq", Pre),
    plain(19, "pre-iq/host", "PreIqHost", "Iq", Pre),
    // Stanzas that have been routed.
    plain(20, "message/full", "MessageFull", "Message", Post),
    plain(21, "message/bare", "MessageBare", "Message", Post),
    plain(22, "message/host", "MessageHost", "Message", Post),
    plain(23, "message/self", "MessageSelf", "Message", Post),
    plain(24, "presence/full", "PresenceFull", "Presence", Post),
    plain(25, "presence/bare", "PresenceBare", "Presence", Post),
    plain(26, "presence/host", "PresenceHost", "Presence", Post),
    plain(27, "presence/self", "PresenceSelf", "Presence", Post),
    plain(28, "iq/full", "IqFull", "Iq", Post),
    plain(29, "iq/bare", "IqBare", "Iq", Post),
    plain(30, "iq/host", "IqHost", "Iq", Post),
    plain(31, "iq/self", "IqSelf", "Iq", Post),
    // Events that follow from routed stanzas.
    plain(32, "presence/initial", "PresenceInitial", "Presence", Notification),
    plain(33, "message/offline/handle", "MessageOfflineHandle", "Message", Chain),
    // The iq cascade.
    payload(34, "iq/bare/XMLNS:TAG", "IqBarePayload", "Iq", IqPayload),
    payload(35, "iq/host/XMLNS:TAG", "IqHostPayload", "Iq", IqPayload),
    payload(36, "iq/self/XMLNS:TAG", "IqSelfPayload", "Iq", IqPayload),
    payload(37, "iq-get/bare/XMLNS:TAG", "IqGetBare", "Iq", IqPayload),
    payload(38, "iq-get/host/XMLNS:TAG", "IqGetHost", "Iq", IqPayload),
    payload(39, "iq-get/self/XMLNS:TAG", "IqGetSelf", "Iq", IqPayload),
    payload(40, "iq-set/bare/XMLNS:TAG", "IqSetBare", "Iq", IqPayload),
    payload(41, "iq-set/host/XMLNS:TAG", "IqSetHost", "Iq", IqPayload),
    payload(42, "iq-set/self/XMLNS:TAG", "IqSetSelf", "Iq", IqPayload),
    with_id(43, "iq-result/bare/ID", "IqResultBare", "Iq", IqId),
    with_id(44, "iq-result/host/ID", "IqResultHost", "Iq", IqId),
    with_id(45, "iq-result/self/ID", "IqResultSelf", "Iq", IqId),
    with_id(46, "iq-error/bare/ID", "IqErrorBare", "Iq", IqId),
    with_id(47, "iq-error/host/ID", "IqErrorHost", "Iq", IqId),
    with_id(48, "iq-error/self/ID", "IqErrorSelf", "Iq", IqId),
    // Stanzas for other servers.
    plain(49, "route/remote", "RouteRemote", "Stanza", RouteRemote),
    // Streams.
    payload(50, "stanza/iq/XMLNS:TAG", "StanzaIq", "Iq", StreamIq),
    plain(51, "stanza/message", "StanzaMessage", "Message", StreamStanza),
    plain(52, "stanza/presence", "StanzaPresence", "Presence", StreamStanza),
    payload(53, "stanza/XMLNS:TAG", "StanzaElement", "Nonza", Nonza),
    // Components.
    plain(
        54,
        "component-authenticated",
        "ComponentAuthenticated",
        "ComponentAuthenticated",
        Notification,
    ),
    plain(
        55,
        "component-disconnected",
        "ComponentDisconnected",
        "ComponentDisconnected",
        Notification,
    ),
    // Authentication and accounts.
    plain(56, "authentication-attempt", "AuthenticationAttempt", "AuthenticationAttempt", Veto),
    plain(57, "pre-resource-bind", "PreResourceBind", "PreResourceBind", Veto),
    plain(58, "user-registering", "UserRegistering", "UserRegistering", Veto),
    plain(59, "user-registered", "UserRegistered", "UserRegistered", Notification),
    plain(60, "user-deregistered", "UserDeregistered", "UserDeregistered", Notification),
    plain(61, "user-deleted", "UserDeleted", "UserDeleted", Notification),
    plain(62, "user-password-changed", "UserPasswordChanged", "UserPasswordChanged", Notification),
    // Rosters.
    plain(63, "roster-load", "RosterLoad", "RosterLoad", Collect),
    plain(64, "roster-item-removed", "RosterItemRemoved", "RosterItemRemoved", Notification),
    // Service discovery.
    plain(65, "account-disco-info", "AccountDiscoInfo", "AccountDiscoInfo", Collect),
    plain(66, "account-disco-items", "AccountDiscoItems", "AccountDiscoItems", Collect),
    plain(67, "account-disco-info-node", "AccountDiscoInfoNode", "AccountDiscoInfoNode", Collect),
    plain(
        68,
        "account-disco-items-node",
        "AccountDiscoItemsNode",
        "AccountDiscoItemsNode",
        Collect,
    ),
    plain(69, "host-disco-items", "HostDiscoItems", "HostDiscoItems", Collect),
    plain(70, "host-disco-info-node", "HostDiscoInfoNode", "HostDiscoInfoNode", Collect),
    plain(71, "host-disco-items-node", "HostDiscoItemsNode", "HostDiscoItemsNode", Collect),
    // Messages.
    plain(72, "message/bare/groupchat", "MessageBareGroupchat", "Message", Chain),
    plain(
        73,
        "message/offline/broadcast",
        "MessageOfflineBroadcast",
        "MessageOfflineBroadcast",
        Chain,
    ),
    // Streams to and from other servers.
    plain(74, "s2s-stream-features", "S2sStreamFeatures", "S2sStreamFeatures", Collect),
    plain(75, "s2s-check-certificate", "S2sCheckCertificate", "S2sCheckCertificate", Collect),
    plain(76, "s2s-authenticated", "S2sAuthenticated", "S2sAuthenticated", Notification),
    plain(77, "s2sin-established", "S2sInEstablished", "S2sInEstablished", Notification),
    plain(78, "s2sin-destroyed", "S2sInDestroyed", "S2sInDestroyed", Notification),
    plain(79, "s2sout-established", "S2sOutEstablished", "S2sOutEstablished", Notification),
    plain(80, "s2sout-destroyed", "S2sOutDestroyed", "S2sOutDestroyed", Notification),
    // Metrics.
    EventDef {
        scope: Scope::Global,
        ..plain(81, "stats-update", "StatsUpdate", "StatsUpdate", Collect)
    },
];

/// The event whose type is named `marker`.
#[must_use]
pub fn by_marker(marker: &str) -> Option<&'static EventDef> {
    EVENTS.iter().find(|event| event.marker == marker)
}

const fn global(id: u16, name: &'static str, marker: &'static str) -> EventDef {
    let scope = Scope::Global;
    EventDef { scope, ..plain(id, name, marker, marker, Notification) }
}

const fn plain(
    id: u16,
    name: &'static str,
    marker: &'static str,
    payload: &'static str,
    family: Family,
) -> EventDef {
    let (scope, parameter) = (Scope::Host, Parameter::None);
    EventDef { id, name, marker, payload, family, scope, parameter }
}

const fn payload(
    id: u16,
    name: &'static str,
    marker: &'static str,
    payload: &'static str,
    family: Family,
) -> EventDef {
    EventDef { parameter: Parameter::Payload, ..plain(id, name, marker, payload, family) }
}

const fn with_id(
    id: u16,
    name: &'static str,
    marker: &'static str,
    payload: &'static str,
    family: Family,
) -> EventDef {
    EventDef { parameter: Parameter::Id, ..plain(id, name, marker, payload, family) }
}

#[cfg(test)]
mod tests {
    use super::{EVENTS, Parameter, Scope, by_marker};
    use crate::resolve;

    #[test]
    fn every_id_is_the_index_of_its_event() {
        for (index, event) in EVENTS.iter().enumerate() {
            assert_eq!(usize::from(event.id), index, "{}", event.name);
        }
    }

    #[test]
    fn names_and_markers_are_unique() {
        for event in EVENTS {
            assert_eq!(EVENTS.iter().filter(|other| other.name == event.name).count(), 1);
            assert_eq!(by_marker(event.marker), Some(event));
        }
        assert_eq!(by_marker("MessageRoom"), None);
    }

    #[test]
    fn every_name_resolves_to_its_event() {
        for event in EVENTS {
            let name = event.name.replace("XMLNS:TAG", "urn:example:x:y").replace("ID", "probe-1");
            assert_eq!(resolve(&name).map(|name| name.event), Ok(event), "{name}");
        }
    }

    #[test]
    fn open_names_end_in_their_parameter() {
        for event in EVENTS {
            let open = event.name.ends_with("/XMLNS:TAG") || event.name.ends_with("/ID");
            assert_eq!(open, event.parameter != Parameter::None, "{}", event.name);
            assert_eq!(open, event.head() != event.name, "{}", event.name);
            assert!(event.name.is_ascii());
        }
    }

    #[test]
    fn only_events_of_the_whole_server_are_global() {
        for event in EVENTS {
            let server = event.name.starts_with("server-")
                || ["config-reloaded", "stats-update"].contains(&event.name);
            assert_eq!(event.scope == Scope::Global, server, "{}", event.name);
        }
    }
}
