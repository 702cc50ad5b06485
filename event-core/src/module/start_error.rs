//! The reasons why a server does not start.

/// A mistake in the binary or the configuration that prevents the start. Messages say how to
/// correct the mistake.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The binary lists a crate without a module.
    #[error(
        "crate `{name}` is listed in the binary but no module of it arrived\n  help: give it a `#[module]` struct, or take `{name}::BUNDLE` out of the list"
    )]
    EmptyCrate {
        /// The crate.
        name: &'static str,
    },
    /// A module has no handler.
    #[error(
        "module `{name}` ({place}) has no hook\n  help: annotate a function of its Rust module with `#[hook(…)]`; is a `mod` line or a `cfg` missing?"
    )]
    ModuleWithoutHook {
        /// The module.
        name: &'static str,
        /// The place in the source.
        place: String,
    },
    /// No `#[module]` encloses the Rust module of a handler.
    #[error(
        "hook `{handler}` ({place}) belongs to no module\n  help: put a `#[module]` struct into its Rust module or an enclosing one"
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
        "two events are called `{name}`: {a} and {b}\n  help: prefix the name with the module's, as in `muc-{name}`"
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
        "event `{name}` ({place}) is one of Spondee's own\n  help: hook it instead, or choose another name"
    )]
    CatalogueEvent {
        /// The name.
        name: &'static str,
        /// The place in the source.
        place: String,
    },
    /// A handler takes the context of another module.
    #[error(
        "hook `{handler}` ({place}) belongs to module `{module}` but takes the `Context` of another\n  help: take `&Context<…>` of the `#[module]` in its own Rust module"
    )]
    WrongContext {
        /// The handler.
        handler: String,
        /// The place in the source.
        place: String,
        /// The module of the handler.
        module: &'static str,
    },
    /// The expansion of a hook installed no handler.
    #[error(
        "hook `{handler}` installed no handler\n  help: `event-core` and `event-macros` are of different builds"
    )]
    NotInstalled {
        /// The handler.
        handler: String,
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
    /// `after` names a module that is not in the binary, but whose name is similar to a linked one.
    #[error(
        "module `{module}` comes after `{after}`, which is not in this binary{}",
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
    #[error("modules wait for each other: {}\n  help: take one `after` away", cycle.join(" after "))]
    AfterCycle {
        /// The modules in the order of the cycle, with the first module repeated at the end.
        cycle: Vec<&'static str>,
    },
    /// A host enables a module twice.
    #[error(
        "module `{module}` is enabled twice on `{host}`\n  help: take one of the two out of its `modules`"
    )]
    EnabledTwice {
        /// The module.
        module: String,
        /// The host.
        host: Box<str>,
    },
    /// Two hosts have the same name.
    #[error("host `{name}` is configured twice\n  help: a name in other letters is the same host")]
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

fn help_unknown(unlisted: Option<&str>, nearest: &[&str]) -> String {
    match unlisted {
        Some(name) => format!(
            "\n  help: its crate is linked but not listed: add `{name}::BUNDLE` to the binary's list"
        ),
        None => help_near(nearest),
    }
}

fn help_near(nearest: &[&str]) -> String {
    match nearest {
        [] => "\n  help: list its crate in the binary (`spondee::main(&[…])`), or take the name out of the configuration".into(),
        names => {
            let names: Vec<_> = names.iter().map(|name| format!("`{name}`")).collect();
            format!("\n  help: did you mean {}?", names.join(" or "))
        }
    }
}
