//! The reasons why a server does not start.

use std::fmt;

/// A mistake in the binary or the configuration that prevents the start. Messages say how to
/// correct the mistake. `Debug` writes the message too, so that a test that unwraps the error shows
/// it.
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The binary lists a crate without a module.
    #[error(
        "crate `{name}` is listed in the binary but has no linked module\n  help: add a `#[module]` struct to the crate, or remove `{name}::BUNDLE` from the list"
    )]
    EmptyCrate {
        /// The crate.
        name: &'static str,
    },
    /// A module has no handler.
    #[error(
        "module `{name}` ({place}) has no hook\n  help: annotate a function in the struct's Rust module with `#[hook(…)]`, and check that no `mod` line is missing and no `cfg` excludes the function"
    )]
    ModuleWithoutHook {
        /// The module.
        name: &'static str,
        /// The place in the source.
        place: String,
    },
    /// No `#[module]` encloses the Rust module of a handler.
    #[error(
        "hook `{handler}` ({place}) belongs to no module\n  help: add a `#[module]` struct to the hook's Rust module or to an enclosing module"
    )]
    HookWithoutModule {
        /// The handler.
        handler: String,
        /// The place in the source.
        place: String,
    },
    /// Two modules have the same name.
    #[error(
        "two modules are called `{name}`: {a} and {b}\n  help: rename one with `#[module(name = \"…\")]`"
    )]
    DuplicateModule {
        /// The name.
        name: &'static str,
        /// The first place in the source.
        a: String,
        /// The second place in the source.
        b: String,
    },
    /// Two crates declare an event of the same name.
    #[error(
        "two events are called `{name}`: {a} and {b}\n  help: begin the name with the module's name, as in `muc-{name}`"
    )]
    DuplicateEvent {
        /// The name.
        name: &'static str,
        /// The first place in the source.
        a: String,
        /// The second place in the source.
        b: String,
    },
    /// A crate declares an event of the catalogue.
    #[error(
        "event `{name}` ({place}) has the name of a catalogue event\n  help: write a `#[hook]` for the catalogue event, or choose another name"
    )]
    CatalogueEvent {
        /// The name.
        name: &'static str,
        /// The place in the source.
        place: String,
    },
    /// A handler takes the context of another module.
    #[error(
        "hook `{handler}` ({place}) belongs to module `{module}` but takes the `Context` of another module\n  help: take `&Context<…>` of the `#[module]` struct in the hook's own Rust module"
    )]
    WrongContext {
        /// The handler.
        handler: String,
        /// The place in the source.
        place: String,
        /// The module of the handler.
        module: &'static str,
    },
    /// A hook names an event that the binary does not have.
    #[error(
        "hook `{handler}` names the event `{event}`, which this binary does not have\n  help: build `event-core` and `event-macros` from the same version"
    )]
    UnknownEvent {
        /// The handler.
        handler: String,
        /// The event.
        event: &'static str,
    },
    /// The configuration enables a module that is not in the binary.
    #[error("module `{name}` of {place} is not in this binary{}", help_unknown(*unlisted, nearest))]
    UnknownModule {
        /// The name.
        name: String,
        /// The host, or the part of the configuration, that names the module.
        place: String,
        /// The linked but not listed crate that has a module of this name.
        unlisted: Option<&'static str>,
        /// Linked modules with a similar name.
        nearest: Vec<&'static str>,
    },
    /// `after` has a name that no linked module has, but that is similar to a linked module's name.
    #[error(
        "module `{module}` must run after `{after}`, which is not in this binary{}",
        help_near(nearest)
    )]
    UnknownAfter {
        /// The module.
        module: &'static str,
        /// The name in `after`.
        after: &'static str,
        /// Linked modules with a similar name.
        nearest: Vec<&'static str>,
    },
    /// The `after` lists of modules form a cycle.
    #[error("the `after` lists of modules form a circle: {}\n  help: remove one `after`", cycle.join(" after "))]
    AfterCycle {
        /// The modules in the order of the cycle, with the first module repeated at the end.
        cycle: Vec<&'static str>,
    },
    /// A host enables a module twice.
    #[error(
        "module `{module}` is enabled twice on `{host}`\n  help: remove one of the two from the host's `modules`"
    )]
    EnabledTwice {
        /// The module.
        module: String,
        /// The host.
        host: Box<str>,
    },
    /// Two hosts have the same name.
    #[error(
        "host `{name}` is configured twice\n  help: names that differ only in upper and lower case are the same host"
    )]
    DuplicateHost {
        /// The name.
        name: String,
    },
    /// The options do not match the module's declaration.
    #[error("options of module `{module}`{place}: {source}")]
    Options {
        /// The module.
        module: Box<str>,
        /// The host as a suffix of the message, such as `` on `localhost` ``; empty if unknown.
        place: String,
        /// The error of the parser.
        source: Box<toml::de::Error>,
    },
    /// A module's `start` failed.
    #[error("module `{module}` did not start on `{host}`: {reason}")]
    Module {
        /// The module.
        module: &'static str,
        /// The host.
        host: Box<str>,
        /// The reason that the module gave.
        reason: String,
    },
    /// A host name is not a domain.
    #[error("`{name}` is not a host name: {reason}")]
    HostName {
        /// The name.
        name: String,
        /// The error of the parser.
        reason: String,
    },
    /// Any other error of a module's `start`.
    #[error("{0}")]
    Other(String),
}

impl fmt::Debug for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

fn help_unknown(unlisted: Option<&str>, nearest: &[&str]) -> String {
    match unlisted {
        Some(name) => format!(
            "\n  help: the module's crate is linked but not listed: add `{name}::BUNDLE` to the binary's list"
        ),
        None => help_near(nearest),
    }
}

fn help_near(nearest: &[&str]) -> String {
    match nearest {
        [] => "\n  help: list the module's crate in the binary (`spondee::main(&[…])`), or remove the name from the configuration".into(),
        names => {
            let names: Vec<_> = names.iter().map(|name| format!("`{name}`")).collect();
            format!("\n  help: did you mean {}?", names.join(" or "))
        }
    }
}
