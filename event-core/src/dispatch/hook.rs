//! The description of a hook.

use std::panic::Location;

use event_catalogue::{Band, Family, Name, NameParameter, Scope};

use crate::events::{declared::EventRecord, traits::EventId};

/// The place of a handler.
#[derive(Clone, Copy, Debug)]
#[doc(hidden)]
pub struct Place {
    /// The Rust module that contains the handler.
    pub(crate) module_path: &'static str,
    /// Where the attribute is.
    pub(crate) attribute: &'static Location<'static>,
}

/// The part of a hook's name that its author chose: an element, or the id of an iq.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[doc(hidden)]
pub enum HookParameter {
    None,
    Payload { namespace: &'static str, element: &'static str },
    Id(&'static str),
}

impl From<NameParameter<'static>> for HookParameter {
    fn from(parameter: NameParameter<'static>) -> Self {
        match parameter {
            NameParameter::None => Self::None,
            NameParameter::Payload { namespace, element } => Self::Payload { namespace, element },
            NameParameter::Id(id) => Self::Id(id),
        }
    }
}

/// The description of a hook.
#[derive(Debug)]
#[non_exhaustive]
pub struct HookMeta {
    /// The event's whole name, with the namespace and element or the id of this hook.
    pub event: &'static str,
    /// The family of the event, which determines what the handler takes and returns.
    pub family: Family,
    /// Whether the event fires on one host or for the whole server.
    pub scope: Scope,
    /// Handlers of higher priority run first.
    pub priority: i32,
    /// Whether the handler may wait: an `async fn`, or a function that returns `NowOrLater`.
    pub is_async: bool,
    /// Whether the handler always ends the chain, as far as its signature shows: the result is written as
    /// `Reply` or a `Result` of it.
    pub answers: bool,
    /// The Rust module that contains the handler.
    pub module_path: &'static str,
    /// The handler's name.
    pub function: &'static str,
    /// Its source file.
    pub file: &'static str,
    /// Its line.
    pub line: u32,
    /// Its column.
    pub column: u32,
    #[doc(hidden)]
    pub parameter: HookParameter,
    #[doc(hidden)]
    pub event_id: EventId,
}

impl HookMeta {
    /// Finds the event by its name. The ids of declared events must have been assigned.
    pub(crate) fn new(
        event: &'static str,
        (priority, is_async, answers): (i32, bool, bool),
        Place { module_path, attribute }: Place,
        function: &'static str,
    ) -> Option<Self> {
        let mut declared = inventory::iter::<EventRecord>.into_iter();
        let (family, scope, event_id, parameter) =
            match declared.find(|record| record.info.name == event) {
                Some(EventRecord { info, id, .. }) => {
                    (info.family, info.scope, id.get(), HookParameter::None)
                }
                None => {
                    let resolved = event_catalogue::resolve(event);
                    let unusual = |_| event_catalogue::resolve_unusual(event);
                    let Name { event, parameter, .. } = resolved.or_else(unusual).ok()?;
                    (event.family, event.scope, EventId(event.id), parameter.into())
                }
            };
        Some(Self {
            event,
            family,
            scope,
            priority,
            is_async,
            answers,
            module_path,
            function,
            file: attribute.file(),
            line: attribute.line(),
            column: attribute.column(),
            parameter,
            event_id,
        })
    }

    /// `module::function`: the name of the handler in logs and in the listing.
    pub fn id(&self) -> String {
        let path = self.module_path.split_once("::").map_or(self.module_path, |(_, path)| path);
        format!("{path}::{}", self.function)
    }

    /// The band of a handler of `NAME/DEST`. Other events have no bands.
    pub fn band(&self) -> Option<Band> {
        if self.family == Family::Post { event_catalogue::band(self.priority) } else { None }
    }

    /// Whether the chain goes on after a panic of the handler.
    pub(crate) fn contains_panics(&self) -> bool {
        matches!(self.family, Family::Notification | Family::Collect)
            || self.band() == Some(Band::Observe)
    }

    pub(crate) fn place(&self) -> String {
        format!("{}:{}", self.file, self.line)
    }
}
