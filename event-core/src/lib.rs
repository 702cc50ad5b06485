//! The API for modules of Spondee, an XMPP server: events, stanzas, sessions, hosts and storage.
//!
//! A module is a struct with the module's options, and functions annotated with the events that
//! they handle:
//!
//! ```
//! //! Software Version (XEP-0092).
//! use event_core::{prelude::*, xmpp_parsers::version::VersionResult};
//!
//! /// Reports the name and the version of the server.
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

// The attributes expand to paths that begin with `event_core`, also in this crate's own tests.
extern crate self as event_core;

mod dispatch;
pub mod events;
mod host;
mod module;
mod protocol;
pub mod roster;
mod routing;
mod runtime;
pub mod services;
mod session;
pub mod storage;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
mod util;

pub use event_macros::{Options, event, hook, module};
pub use jid;
pub use toml;
pub use tracing;
pub use xmpp_parsers;
pub use xmpp_xml as xml;
pub use xso;

pub use crate::{
    dispatch::{flow::Flow, hook::HookMeta, now_or_later::NowOrLater, stats::HandlerStats},
    events::{
        fired::is_fired_by_modules,
        info::{EventInfo, FieldInfo},
        traits::{Event, Fire, Fired, Payload},
    },
    host::{
        host::Host,
        role::{Action, Role},
        settings::{HostConfig, HostSettings},
    },
    module::{
        context::Context,
        host_context::HostContext,
        info::{ModuleInfo, OptionInfo},
        module::{Module, ModuleState},
        options::Options,
        registry::{Bundle, Registry, declared_events},
        start_error::StartError,
    },
    protocol::{
        into_stanza::IntoStanza,
        iq::{Iq, IqType},
        nonza::Nonza,
        origin::Origin,
        reply::Reply,
        stamp::from_stamp,
        stanza::{Destination, Message, Presence, Stanza, StanzaKind},
        stanza_error::{Condition, ErrorType, NS_STANZAS, StanzaError},
        stream_error::{NS_STREAMS, StreamCondition, StreamError},
    },
    routing::{
        chain_stop::{ChainStop, StopKind},
        queries::QueryError,
        query::Expected,
        reply::AnswerLater,
        server_core::Core,
        turn::Turn,
    },
    runtime::{
        listing::{HookListing, HookWarning},
        reload::{
            change::{Change, ChangeKind, Reloaded},
            publish::host_gone,
        },
        runtime::Runtime,
    },
    session::{
        registry::Sessions,
        session::{Available, Session, SessionState},
        stream::{SessionKind, Stream},
    },
    util::{cost, future::BoxFuture, id::random_id, rate, secret::Secret, tally::Tally},
};
pub use event_catalogue::{Family, Scope, nearest};

/// The crate `serde`. `#[derive(event_core::serde::Deserialize)]` and `Serialize` compile in a crate
/// that does not depend on serde.
///
/// ```
/// use event_core::serde::Deserialize;
///
/// #[derive(Deserialize)]
/// #[serde(rename_all = "lowercase")]
/// enum Policy {
///     Open,
///     Closed,
/// }
/// ```
pub mod serde {
    pub use ::serde::*;
    pub use event_macros::{Deserialize, Serialize};

    /// What the derive macros expand to.
    #[doc(hidden)]
    pub mod derive {
        pub use ::serde::{Deserialize, Serialize};
    }
}

/// The version of Spondee.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The items that almost every module needs.
pub mod prelude {
    pub use crate::{
        Context, Event as _, Flow, Host, HostContext, Iq, IqType, Message, ModuleState, Nonza,
        Presence, Reply, Session, Stanza, StanzaError, StartError, StreamError, VERSION, event,
        events,
        events::payloads::*,
        hook, module, tracing,
        xml::{Element, ElementBuilder, STANZA_NS},
    };
}

/// The items that the attributes expand to. Not a public API.
#[doc(hidden)]
pub mod __private {
    pub use std::{
        boxed::Box,
        concat,
        convert::Into,
        default::Default,
        file, line,
        marker::{PhantomData, Send, Sync},
        module_path,
        option::Option::{self, None, Some},
        result::Result::{self, Err, Ok},
    };

    pub use event_macros::{Options, module_crate};
    pub use inventory;
    pub use toml;

    pub use event_catalogue::{Family, Scope};

    pub use crate::{
        dispatch::{
            flow::Flow,
            hook::HookMeta,
            installer::HookRecord,
            now_or_later::NowOrLater,
            outcome::{Outcome, ReturnOf, kind},
        },
        events::{
            self,
            declared::{DeclaredEvent, DeclaredReturn, EventCell, EventRecord, PayloadOf, Same},
            info::{EventInfo, FieldInfo},
            payloads::*,
            traits::{Event, EventId, Fire, Payload},
        },
        module::{
            context::{ContextRef, NamedContext},
            info::{ModuleInfo, OptionInfo},
            module::Module,
            options::Options,
            own::OwnNames,
            registry::ModuleRecord,
            running::{HasInfo, VtableOf},
        },
        protocol::{
            iq::Iq,
            nonza::Nonza,
            reply::Reply,
            stanza::{Message, Presence, Stanza},
            stanza_error::StanzaError,
            stream_error::StreamError,
        },
    };

    /// The kinds of handlers.
    pub mod handler {
        pub use crate::module::install::*;
    }

    /// The functions that read options.
    pub mod option {
        pub use crate::module::options::*;
    }
}

/// The example of the README is tested.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
