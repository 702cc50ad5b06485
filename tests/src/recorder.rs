//! A module that records every event in a file: one line for each, with the event's name first.

use std::{
    fs::{File, OpenOptions},
    io::Write,
    path::PathBuf,
};

use parking_lot::Mutex;

use event_core::prelude::*;

/// Records the events of the host.
#[module(state = Records)]
struct Recorder {
    /// The file.
    file: PathBuf,
}

struct Records(Mutex<File>);

impl ModuleState<Recorder> for Records {
    async fn start(_: &HostContext, options: &Recorder) -> Result<Self, StartError> {
        let file = OpenOptions::new().append(true).create(true).open(&options.file);
        let file = file.map_err(|error| StartError::Other(error.to_string()))?;
        Ok(Self(Mutex::new(file)))
    }
}

impl Records {
    fn write(&self, event: &str, host: &str, detail: std::fmt::Arguments<'_>) {
        let detail = detail.to_string().replace(['\r', '\n'], " ");
        let line = format!("{event}\t{host}\t{detail}\n");
        // One write for each line, because the test reads while the server writes.
        let mut file = self.0.lock();
        file.write_all(line.as_bytes()).expect("the records cannot be written");
    }
}

/// `name function(Payload) = detail;` makes a handler that records the detail and continues.
macro_rules! record {
    ($($name:literal $function:ident($payload:ident: $type:ty, $cx:ident) = $($detail:expr),*;)*) => {$(
        #[hook($name)]
        fn $function($payload: $type, $cx: &Context<Recorder>) {
            let detail = [$(format!("{}", $detail)),*].join(" ");
            $cx.state().write($name, $cx.host().name(), format_args!("{detail}"));
        }
    )*};
    ($priority:literal; $($name:literal $function:ident($payload:ident: $type:ty, $cx:ident) = $($detail:expr),*;)*) => {$(
        #[hook($name, priority = $priority)]
        fn $function($payload: $type, $cx: &Context<Recorder>) {
            let detail = [$(format!("{}", $detail)),*].join(" ");
            $cx.state().write($name, $cx.host().name(), format_args!("{detail}"));
        }
    )*};
}

/// Adds a metric.
#[hook("stats-update")]
fn stats(stats: &mut StatsUpdate, cx: &Context<Recorder>) {
    let host = cx.host().name();
    cx.state().write("stats-update", host, format_args!("{}", stats.samples.len()));
    stats.samples.push(Sample {
        name: "recorder_clients",
        help: "The clients of a host.",
        labels: vec![("host", host.to_owned())],
        value: cx.host().sessions().len() as f64,
    });
}

fn user(session: &Session) -> String {
    match (session.jid(), session.user()) {
        (Some(jid), _) => jid.to_string(),
        (None, Some(user)) => user.to_string(),
        (None, None) => "-".into(),
    }
}

fn address(jid: Option<&event_core::jid::Jid>) -> &str {
    jid.map_or("-", |jid| jid.as_str())
}

fn text(text: Option<&str>) -> &str {
    text.unwrap_or("-")
}

record! {
    "server-starting" starting(_e: &ServerStarting, cx) = "-";
    "server-started" started(_e: &ServerStarted, cx) = "-";
    "server-stopping" stopping(_e: &ServerStopping, cx) = "-";
    "server-stopped" stopped(_e: &ServerStopped, cx) = "-";
    "config-reloaded" reloaded(e: &ConfigReloaded, cx) = e.format, e.config;
    "authentication-success" authenticated(e: &AuthenticationSuccess, cx) = user(&e.session);
    "authentication-failure" refused(e: &AuthenticationFailure, cx) = e.condition, text(e.text.as_deref());
    "resource-bind" bound(e: &ResourceBind, cx) = user(&e.session);
    "pre-resource-unbind" leaving(e: &mut PreResourceUnbind, cx) = user(&e.session), text(e.error.as_deref());
    "resource-unbind" unbound(e: &ResourceUnbind, cx) = user(&e.session), text(e.error.as_deref());
    "stream-features" features(e: &mut StreamFeatures, cx) = user(&e.session), e.features.len();
    "pre-message/full" pre_message_full(s: &mut Message, cx) = s.element();
    "pre-message/bare" pre_message_bare(s: &mut Message, cx) = s.element();
    "pre-message/host" pre_message_host(s: &mut Message, cx) = s.element();
    "pre-presence/full" pre_presence_full(s: &mut Presence, cx) = s.element();
    "pre-presence/bare" pre_presence_bare(s: &mut Presence, cx) = s.element();
    "pre-presence/host" pre_presence_host(s: &mut Presence, cx) = s.element();
    "pre-iq/full" pre_iq_full(s: &mut Iq, cx) = s.element();
    "pre-iq/bare" pre_iq_bare(s: &mut Iq, cx) = s.element();
    "pre-iq/host" pre_iq_host(s: &mut Iq, cx) = s.element();
    "message/full" message_full(s: &Message, cx) = s.element();
    "message/bare" message_bare(s: &Message, cx) = s.element();
    "message/host" message_host(s: &Message, cx) = s.element();
    "message/self" message_self(s: &Message, cx) = s.element();
    "presence/full" presence_full(s: &Presence, cx) = s.element();
    "presence/bare" presence_bare(s: &Presence, cx) = s.element();
    "presence/host" presence_host(s: &Presence, cx) = s.element();
    "presence/self" presence_self(s: &Presence, cx) = s.element();
    "presence/initial" initial(s: &Presence, cx) = s.element();
    "iq/full" iq_full(s: &Iq, cx) = s.element();
    "iq/bare" iq_bare(s: &Iq, cx) = s.element();
    "iq/host" iq_host(s: &Iq, cx) = s.element();
    "iq/self" iq_self(s: &Iq, cx) = s.element();
    "message/offline/handle" offline(s: &mut Message, cx) = s.element();
    "message/bare/groupchat" groupchat(s: &mut Message, cx) = s.element();
    "message/offline/broadcast" kept(e: &mut MessageOfflineBroadcast, cx) = user(&e.session);
    "authentication-attempt" attempt(e: &mut AuthenticationAttempt, cx) = user(&e.session), e.mechanism;
    "pre-resource-bind" binding(e: &mut PreResourceBind, cx) = user(&e.session), text(e.resource.as_deref());
    "user-registering" registering(e: &mut UserRegistering, cx) = e.username, e.source;
    "user-registered" registered(e: &UserRegistered, cx) = e.username, e.source;
    "user-deregistered" deregistered(e: &UserDeregistered, cx) = e.username, e.source;
    "user-deleted" deleted(e: &UserDeleted, cx) = e.username;
    "user-password-changed" password_changed(e: &UserPasswordChanged, cx) = e.username, e.session.as_ref().map_or("-".into(), user);
    "roster-load" roster_load(e: &mut RosterLoad, cx) = e.username, e.roster.items().count();
    "roster-item-removed" roster_item_removed(e: &RosterItemRemoved, cx) = e.username, e.item.jid, e.session.as_ref().map_or("-".into(), user);
    "account-disco-info" account_info(e: &mut AccountDiscoInfo, cx) = e.account, address(e.from.as_ref());
    "account-disco-items" account_items(e: &mut AccountDiscoItems, cx) = e.account, address(e.from.as_ref());
    "account-disco-info-node" account_info_node(e: &mut AccountDiscoInfoNode, cx) = e.account, address(e.from.as_ref()), e.node;
    "account-disco-items-node" account_items_node(e: &mut AccountDiscoItemsNode, cx) = e.account, address(e.from.as_ref()), e.node;
    "host-disco-items" host_items(e: &mut HostDiscoItems, cx) = address(e.from.as_ref());
    "host-disco-info-node" host_info_node(e: &mut HostDiscoInfoNode, cx) = address(e.from.as_ref()), e.node;
    "host-disco-items-node" host_items_node(e: &mut HostDiscoItemsNode, cx) = address(e.from.as_ref()), e.node;
    "s2s-stream-features" s2s_features(e: &mut S2sStreamFeatures, cx) = user(&e.session), e.features.len();
    "s2s-check-certificate" check_certificate(e: &mut S2sCheckCertificate, cx) = e.domain, e.chain.len(), e.is_trusted, e.is_match;
    "s2s-authenticated" s2s_authenticated(e: &S2sAuthenticated, cx) = e.domain, e.mechanism;
    "s2sin-established" s2sin_established(e: &S2sInEstablished, cx) = e.domain;
    "s2sin-destroyed" s2sin_destroyed(e: &S2sInDestroyed, cx) = e.domain, text(e.error.as_deref());
    "s2sout-established" s2sout_established(e: &S2sOutEstablished, cx) = e.domain;
    "s2sout-destroyed" s2sout_destroyed(e: &S2sOutDestroyed, cx) = e.domain, text(e.error.as_deref());
    "component-authenticated" component_authenticated(e: &ComponentAuthenticated, cx) = e.session.host().name();
    "component-disconnected" component_disconnected(e: &ComponentDisconnected, cx) = e.session.host().name(), text(e.error.as_deref());
    "route/remote" remote(s: &mut Stanza, cx) = s.element();
}

// These handlers run before the modules that answer, because an answer stops the chain.
record! {
    100;
    "iq/host/jabber:iq:version:query" iq_host_version(s: &mut Iq, cx) = s.element();
    "iq-get/host/jabber:iq:version:query" iq_get_host_version(s: &mut Iq, cx) = s.element();
    "iq/bare/jabber:iq:version:query" iq_bare_version(s: &mut Iq, cx) = s.element();
    "iq-get/bare/jabber:iq:version:query" iq_get_bare_version(s: &mut Iq, cx) = s.element();
    "iq/self/jabber:iq:version:query" iq_self_version(s: &mut Iq, cx) = s.element();
    "iq-get/self/jabber:iq:version:query" iq_get_self_version(s: &mut Iq, cx) = s.element();
    "iq-set/host/jabber:iq:private:query" iq_set_host(s: &mut Iq, cx) = s.element();
    "iq-set/bare/jabber:iq:private:query" iq_set_bare(s: &mut Iq, cx) = s.element();
    "iq-set/self/jabber:iq:private:query" iq_set_self(s: &mut Iq, cx) = s.element();
    "iq-result/host/recorded" iq_result_host(s: &Iq, cx) = s.element();
    "iq-result/bare/recorded" iq_result_bare(s: &Iq, cx) = s.element();
    "iq-result/self/recorded" iq_result_self(s: &Iq, cx) = s.element();
    "iq-error/host/recorded" iq_error_host(s: &Iq, cx) = s.element();
    "iq-error/bare/recorded" iq_error_bare(s: &Iq, cx) = s.element();
    "iq-error/self/recorded" iq_error_self(s: &Iq, cx) = s.element();
    "stanza/iq/urn:ietf:params:xml:ns:xmpp-bind:bind" stanza_iq(s: &mut Iq, cx) = s.element();
    "stanza/message" stanza_message(s: &mut Message, cx) = s.element();
    "stanza/presence" stanza_presence(s: &mut Presence, cx) = s.element();
    "stanza/urn:ietf:params:xml:ns:xmpp-tls:starttls" starttls(n: &mut Nonza, cx) = n.element;
    "stanza/urn:ietf:params:xml:ns:xmpp-sasl:auth" auth(n: &mut Nonza, cx) = n.element.name();
}
