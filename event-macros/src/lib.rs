//! `#[hook]`, `#[event]` and `#[module]`, re-exported by `event-core`.
//!
//! Each attribute reads its arguments (`attr`), checks them against the annotated item, and expands.
//! All mistakes are reported together, and the annotated item is always kept. A refused `#[module]` or
//! `#[event]` expands to its implementations nevertheless, so that the mistake causes no other error.

mod attr;
mod docs;
mod event;
mod features;
mod fires;
mod hook;
mod item;
mod module;
mod options;
mod own;
mod serde;
mod spans;

use proc_macro::TokenStream;

/// Makes a function the handler of an event.
///
/// ```
/// use event_core::prelude::*;
///
/// /// Limits messages.
/// #[module]
/// pub struct Limits {
///     /// The most bytes of a message.
///     #[option(default = 10_000)]
///     max_bytes: usize,
/// }
///
/// #[hook("message/bare", priority = 10)]
/// fn limit(message: &mut Message, cx: &Context<Limits>) -> Result<Flow, StanzaError> {
///     match message.element().to_string().len() > cx.max_bytes {
///         true => Err(StanzaError::not_acceptable().text("too long")),
///         false => Ok(Flow::Continue),
///     }
/// }
/// ```
///
/// Several attributes make one function the handler of several events.
///
/// # Arguments
///
/// | Argument | Value | |
/// |---|---|---|
/// | the event | a name in quotes, `"iq-get/host/urn:xmpp:ping:ping"`, or a type | `spondee events` lists the names. The types of the catalogue are in `event_core::events`; an event that a crate declares with `#[event]` is named by its type only. |
/// | the parameter of a type | `"XMLNS:TAG"` or `"ID"`, after the type | `#[hook(events::IqGetHost, "urn:xmpp:ping:ping")]` |
/// | `priority` | an integer, 0 if left out | Handlers of higher priority run first. On `message/DEST`, `presence/DEST` and `iq/DEST` the priority also decides what a handler may do: 1000 and more filter, 1 to 999 process, 0 observes, -1 delivers. |
/// | `insist` | a reason, `"old clients set the version"` | Allows an element that no specification has in an iq of this type. |
/// | `crate` | a path, `my_api::event_core` | The path of event-core, for macros that expand to hooks. A crate that knows event-core by another name says so once at its root instead: `extern crate other_name as event_core;` |
///
/// # The function
///
/// A free function, plain or `async`. It takes the payload of the event and, if it needs more than
/// that, `&Context<M>` of the module `M` whose Rust module encloses the function. The context gives
/// the module's options (`cx.max_bytes`), its state (`cx.state()`) and the host.
///
/// | Event | Payload | Result |
/// |---|---|---|
/// | notification: `resource-bind`, `presence/initial`, … | `&ResourceBind` | nothing |
/// | collect: `stream-features`, … | `&mut StreamFeatures` | nothing |
/// | veto: `pre-resource-unbind`, … | `&mut PreResourceUnbind` | `Flow` |
/// | `message/DEST`, `presence/DEST`, `iq/DEST` at priority 0 | `&Message`, `&Presence`, `&Iq` | nothing |
/// | the same at other priorities, `pre-message/DEST`, `stanza/message`, … | `&mut Message`, `&mut Presence`, `&mut Iq` | `Flow`, or a `Result` of it with `StanzaError` |
/// | `iq-get/DEST/XMLNS:TAG`, `iq-set/…`, `stanza/iq/XMLNS:TAG` | `&mut Iq` | `Reply`, `Flow`, or a `Result` of one with `StanzaError` |
/// | `iq-result/DEST/ID`, `iq-error/DEST/ID` | `&Iq` | `Flow` |
/// | `route/remote` | `&mut Stanza` | `Flow`, or a `Result` of it with `StanzaError` |
/// | `stanza/XMLNS:TAG` | `&mut Nonza` | `Flow`, or a `Result` of it with `StreamError` |
/// | declared with `#[event]` | see [`event`](macro@event) | |
///
/// A handler that may return a decision may also return nothing, which means `Flow::Continue`. A
/// handler that returns nothing cannot use `?`: it handles its errors itself, by logging them for
/// instance. `QueryError`, `StorageError` and `PayloadError` become a `StanzaError` with `?`.
///
/// A handler that seldom waits returns `NowOrLater<Payload, Result>` instead of being an `async fn`,
/// so that nothing is allocated when it does not wait.
///
/// # What is refused
///
/// Each of these is an error when the crate is compiled:
///
/// - an event, a namespace or an element that is neither known nor declared with
///   `event_core::module_crate!`;
/// - the same event at the same priority twice on one function;
/// - a priority outside of the event's ranges;
/// - a payload or a result that is not the event's;
/// - the context of a module whose Rust module does not enclose the function;
/// - a function that is `const`, `unsafe`, `extern` or generic, or takes `self`;
/// - an `async fn` whose future is not `Send`.
///
/// A hook whose Rust module no `#[module]` encloses is an error when the server starts.
#[proc_macro_attribute]
pub fn hook(arguments: TokenStream, item: TokenStream) -> TokenStream {
    hook::expand(arguments.into(), item.into()).into()
}

/// Declares an event, which any crate can hook by the path of its type.
///
/// ```
/// use event_core::prelude::*;
///
/// /// An occupant joined a room.
/// #[event("muc-occupant-joined", kind = "notification")]
/// pub struct OccupantJoined<'a> {
///     /// The nickname in the room.
///     pub nick: &'a str,
/// }
///
/// /// Rooms.
/// #[module]
/// pub struct Rooms;
///
/// pub async fn join(nick: &str, cx: &Context<Rooms>) {
///     cx.fire(OccupantJoined { nick }).await;
/// }
///
/// #[hook(OccupantJoined)]
/// fn greet(joined: &OccupantJoined<'_>) {
///     println!("{}", joined.nick);
/// }
/// ```
///
/// # Arguments
///
/// | Argument | Value | |
/// |---|---|---|
/// | the name | lower case words joined by `-`, with `/` between parts | For logs, `spondee events` and `spondee hooks`. Begin it with the module's name, because two events of the same name are refused when the server starts. |
/// | `kind` | `"notification"`, `"collect"` or `"chain"` | What handlers take and return; see below. |
/// | `scope` | `"host"` if left out, or `"global"` | Which handlers run: those of the host on which the event is fired, or those of all hosts. |
/// | `crate` | a path | As for [`hook`](macro@hook). |
///
/// | Kind | A handler takes | It returns | Meaning |
/// |---|---|---|---|
/// | `notification` | `&E` | nothing | It has happened. |
/// | `collect` | `&mut E` | nothing | Handlers put something into the event, which `cx.fire(event).await.event` gives back. |
/// | `chain` | `&mut E` | `Flow`, or a `Result` of it with `StanzaError` | The first handler that returns `Flow::Handled` or an error ends the chain; `Fired` has the `flow` and the `error`. |
///
/// # The type
///
/// A struct or an enum, without type parameters, with at most one lifetime, and `Send`. Its doc comment,
/// and those of its fields, are shown by `spondee events`.
///
/// # What is refused
///
/// A name of Spondee's own events; a missing kind; a generic type; a type that is not `Send`; a second
/// `#[event]` on one type.
#[proc_macro_attribute]
pub fn event(arguments: TokenStream, item: TokenStream) -> TokenStream {
    event::expand(arguments.into(), item.into()).into()
}

/// Makes a struct a module that hosts can enable. The struct has the module's options on one host.
///
/// ```
/// use event_core::prelude::*;
/// use std::sync::atomic::{AtomicU64, Ordering};
///
/// /// Counts messages.
/// #[module(name = "message_counter", state = Count, after = ["offline"])]
/// pub struct Counter {
///     /// The number to begin with.
///     #[option(default = 100)]
///     start: u64,
/// }
///
/// pub struct Count(AtomicU64);
///
/// impl ModuleState<Counter> for Count {
///     async fn start(_: &HostContext, options: &Counter) -> Result<Self, StartError> {
///         Ok(Self(AtomicU64::new(options.start)))
///     }
/// }
///
/// #[hook("message/bare")]
/// fn count(_: &Message, cx: &Context<Counter>) {
///     cx.state().0.fetch_add(1, Ordering::Relaxed);
/// }
/// ```
///
/// The hooks in the struct's Rust module, and in Rust modules inside of it, belong to the module. A
/// Rust module has at most one such struct. The struct's doc comment describes the module.
///
/// # Arguments
///
/// All may be left out.
///
/// | Argument | Value | |
/// |---|---|---|
/// | `name` | lower case letters, digits and `_` | The name in the configuration. If left out, the struct's name: `InBandRegistration` is `in_band_registration`. |
/// | `state` | a type | What the module keeps on each host where it runs. The type implements `ModuleState` of the struct. |
/// | `features` | a list of strings and constants, `["urn:xmpp:ping", NS]` | The features that the host announces while the module runs (XEP-0030). Each is known to Spondee or declared with `event_core::module_crate!`. |
/// | `after` | a list of modules, `["presence"]` | Handlers of these modules run before this module's at equal priority. |
/// | `fires` | a list of event types, `[events::UserRegistered, Greeted]` | The events that the module fires. A test on the harness fails when the module fires another. |
/// | `crate` | a path | As for [`hook`](macro@hook). |
///
/// # Options
///
/// Each field is an option: a key of the table `[host."example.com".module.NAME]` in the configuration.
/// Its type implements serde's `Deserialize`. An option of type `Option<T>` may be left out, and so may
/// one with a default; all others are required. A key that no option has is refused.
///
/// | On a field | |
/// |---|---|
/// | `#[option(default = 5)]` | The default. A string serves for a `String`, too. |
/// | `#[serde(default)]`, `#[serde(default = "function")]` | The default of the type, or what the function returns. |
/// | `#[serde(rename = "…")]`, `#[serde(alias = "…")]` | The key, instead of the field's name; an additional key. |
/// | `#[serde(flatten)]` | A struct with `#[derive(event_core::Options)]`, whose options are the module's. |
/// | `#[serde(skip)]` | Not an option. |
/// | `#[serde(deserialize_with = "…")]`, `#[serde(with = "…")]` | How the value is read. |
///
/// The struct takes `#[serde(rename_all = "…")]` and `#[serde(default)]`. The type of an option derives
/// `event_core::serde::Deserialize`, which needs no dependency on serde:
///
/// ```
/// use event_core::{prelude::*, serde::Deserialize};
///
/// /// Who may enter a room.
/// #[derive(Deserialize, Default)]
/// #[serde(rename_all = "lowercase")]
/// pub enum Policy {
///     /// Everybody.
///     #[default]
///     Open,
///     /// Members.
///     Members,
/// }
///
/// /// Rooms.
/// #[module]
/// pub struct Rooms {
///     /// Who may enter.
///     #[serde(default)]
///     policy: Policy,
/// }
/// # #[hook("message/bare")]
/// # fn look(_: &Message, cx: &Context<Rooms>) { let _ = &cx.policy; }
/// ```
///
/// # What is refused
///
/// A struct that is generic or has fields without names; an option whose type cannot be read; a default
/// of another type; a state that is not `Send` and `Sync`; two `#[module]` in one Rust module.
#[proc_macro_attribute]
pub fn module(arguments: TokenStream, item: TokenStream) -> TokenStream {
    module::expand(arguments.into(), item.into()).into()
}

/// Declares a crate of modules. Authors call `event_core::module_crate`, which has the documentation
/// and passes the path of `event-core` as the first argument.
#[proc_macro]
pub fn module_crate(arguments: TokenStream) -> TokenStream {
    own::expand(arguments.into()).into()
}

/// Makes a struct a group of options, which modules include with `#[serde(flatten)]`. `#[module]` adds
/// this derive macro to its struct; the attributes of the fields are the same.
///
/// ```
/// use event_core::{Options, prelude::*};
///
/// /// Bounds.
/// #[derive(Options)]
/// struct Limits {
///     /// The most rooms.
///     #[option(default = 100)]
///     max_rooms: u32,
/// }
///
/// /// Rooms.
/// #[module]
/// struct Rooms {
///     #[serde(flatten)]
///     limits: Limits,
/// }
/// # #[hook("message/bare")]
/// # fn look(_: &Message, cx: &Context<Rooms>) { let _ = cx.limits.max_rooms; }
/// ```
#[proc_macro_derive(Options, attributes(option, serde))]
pub fn options(item: TokenStream) -> TokenStream {
    options::derive(item.into()).into()
}

/// Derives serde's `Deserialize` in a crate that does not depend on serde.
#[proc_macro_derive(Deserialize, attributes(serde))]
pub fn deserialize(item: TokenStream) -> TokenStream {
    serde::derive(item.into(), "Deserialize").into()
}

/// Derives serde's `Serialize` in a crate that does not depend on serde.
#[proc_macro_derive(Serialize, attributes(serde))]
pub fn serialize(item: TokenStream) -> TokenStream {
    serde::derive(item.into(), "Serialize").into()
}
