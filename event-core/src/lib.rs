//! What a Spondee module is written against: events, stanzas, sessions and the dispatch tables.
//!
//! A module is a struct of options and a handful of functions, each annotated with the event it
//! answers:
//!
//! ```
//! //! Software Version (XEP-0092).
//! use event_core::{prelude::*, xmpp_parsers::version::VersionResult};
//!
//! /// Says what software runs here.
//! #[module(features = ["jabber:iq:version"])]
//! pub struct Version {
//!     /// Leave the operating system out of the answer.
//!     #[serde(default)]
//!     hide_os: bool,
//! }
//!
//! #[hook("iq-get/host/jabber:iq:version:query", priority = 10)]
//! fn answer_version(iq: &mut Iq, cx: &Context<Version>) -> Result<Reply, StanzaError> {
//!     let os = (!cx.hide_os).then(|| std::env::consts::OS.to_owned());
//!     let (name, version) = ("Spondee".into(), Some(VERSION.into()));
//!     Ok(iq.reply_with(VersionResult { name, version: version.unwrap_or_default(), os }))
//! }
//! ```

// So that the attributes can be used in this crate's own tests.
extern crate self as event_core;

pub mod context;
mod core;
mod dispatch;
mod error;
mod event;
pub mod events;
mod flow;
mod handler;
pub mod host;
mod module;
mod provided;
pub mod query;
pub mod rate;
mod registry;
pub mod reload;
pub mod roster;
pub mod router;
mod secret;
pub mod services;
mod session;
mod sessions;
mod stanza;
mod start;
pub mod storage;
mod table;
mod tally;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
pub mod xml;

pub use event_macros::{event, hook, module};
pub use jid;
pub use serde;
pub use toml;
pub use xmpp_parsers;
pub use xso;

pub use crate::{
    context::Context,
    core::{Core, Decision, DecisionKind, HookListing, HostConfig, random_id},
    dispatch::{BoxFuture, HandlerStats},
    error::{
        Condition, ErrorType, NS_STANZAS, NS_STREAMS, StanzaError, StreamCondition, StreamError,
    },
    event::{Event, EventInfo, Family, FieldInfo, Fire, Fired, Payload, Scope},
    flow::{Flow, Reply},
    host::{Action, Host, HostSettings},
    module::{Module, ModuleInfo, ModuleState, OptionInfo},
    registry::{Bundle, HookMeta, Registry, declared_events},
    secret::Secret,
    session::{Available, Session, SessionKind, SessionState, Stream},
    sessions::Sessions,
    stanza::{
        AnswerLater, Destination, Iq, IqType, Message, Nonza, Origin, Presence, Stanza, StanzaKind,
    },
    start::StartError,
    tally::Tally,
};

/// The version of Spondee.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// What almost every module needs.
pub mod prelude {
    pub use crate::{
        Context, Event as _, Flow, Host, Iq, IqType, Message, ModuleState, Nonza, Presence, Reply,
        Session, Stanza, StanzaError, StartError, StreamError, VERSION, event, events,
        events::payloads::*,
        hook, module,
        xml::{Element, ElementBuilder, STANZA_NS},
    };
}

/// What the attributes expand to; not for use by hand.
#[doc(hidden)]
pub mod __private {
    pub use std::{
        boxed::Box,
        file, line, module_path,
        option::Option::{self, None, Some},
        result::Result::{self, Err, Ok},
    };

    pub use inventory;
    pub use toml;

    pub use crate::{
        Event, EventInfo, Family, FieldInfo, Flow, Iq, Message, Module, ModuleInfo, Nonza,
        OptionInfo, Presence, Reply, Scope, Stanza, StanzaError, StreamError,
        context::{ContextOf, ContextRef},
        event::{
            DecisionOf, DeclaredDecision, DeclaredEvent, EventCell, EventId, Fire, Payload,
            PayloadOf, Same, kind,
        },
        events::{self, payloads::*},
        flow::Outcome,
        module::VtableOf,
        registry::{
            EventRecord, HookMeta, HookParameter, HookRecord, Installer, ModuleRecord, WrongContext,
        },
    };

    /// What installs a handler.
    pub mod handler {
        pub use crate::handler::*;
    }

    /// Reads a module's options.
    pub fn options<T: serde::de::DeserializeOwned>(
        table: toml::Table,
    ) -> Result<T, toml::de::Error> {
        T::deserialize(toml::Value::Table(table))
    }
}
