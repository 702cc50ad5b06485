//! Why a server does not start: what is silently missing elsewhere is said here.

/// Something in the binary or its configuration stops the start; the message says what to do.

#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The binary lists a crate that brought no module.
    #[error(
        "crate `{name}` is listed in the binary but no module of it arrived\n  help: give it a `#[module]` struct, or take `{name}::BUNDLE` out of the list"
    )]
    EmptyCrate {
        /// The crate.
        name: &'static str,
    },
    /// A module to which no handler belongs.
    #[error(
        "module `{name}` ({place}) has no hook\n  help: annotate a function of its Rust module with `#[hook(…)]`; is a `mod` line or a `cfg` missing?"
    )]
    ModuleWithoutHook {
        /// The module.
        name: &'static str,
        /// Where it is declared.
        place: String,
    },
    /// A handler in a Rust module that no `#[module]` encloses.
    #[error(
        "hook `{handler}` ({place}) belongs to no module\n  help: put a `#[module]` struct into its Rust module or an enclosing one"
    )]
    HookWithoutModule {
        /// The handler.
        handler: String,
        /// Where it is.
        place: String,
    },
    /// Two modules with one name.
    #[error(
        "two modules are called `{name}`: {a} and {b}\n  help: rename one with `#[module(name = \"…\")]`"
    )]
    DuplicateModule {
        /// The name.
        name: &'static str,
        /// One place.
        a: String,
        /// The other.
        b: String,
    },
    /// Two crates declare an event of one name.
    #[error(
        "two events are called `{name}`: {a} and {b}\n  help: prefix the name with the module's, as in `muc-{name}`"
    )]
    DuplicateEvent {
        /// The name.
        name: &'static str,
        /// One place.
        a: String,
        /// The other.
        b: String,
    },
    /// A crate declares an event that the catalogue has.
    #[error(
        "event `{name}` ({place}) is one of Spondee's own\n  help: hook it instead, or choose another name"
    )]
    CatalogueEvent {
        /// The name.
        name: &'static str,
        /// Where it is declared.
        place: String,
    },
    /// A handler asks for another module's context.
    #[error(
        "hook `{handler}` ({place}) belongs to module `{module}` but takes the `Context` of another\n  help: take `&Context<…>` of the `#[module]` in its own Rust module"
    )]
    WrongContext {
        /// The handler.
        handler: String,
        /// Where it is.
        place: String,
        /// The module it belongs to.
        module: &'static str,
    },
    /// An expansion that installed nothing.
    #[error(
        "hook `{handler}` installed no handler\n  help: `event-core` and `event-macros` are of different builds"
    )]
    NotInstalled {
        /// The handler.
        handler: String,
    },
    /// The configuration names a module that is not in the binary.
    #[error("module `{name}` of {place} is not in this binary{}", help_unknown(*unlisted, nearest))]
    UnknownModule {
        /// The name.
        name: String,
        /// Which host asks for it.
        place: String,
        /// The crate of a module of this name that is linked but not listed.
        unlisted: Option<&'static str>,
        /// Linked modules with a similar name.
        nearest: Vec<&'static str>,
    },
    /// `after` names something that looks like a misspelt module.
    #[error(
        "module `{module}` comes after `{after}`, which is not in this binary{}",
        help_near(nearest)
    )]
    UnknownAfter {
        /// The module.
        module: &'static str,
        /// What it names.
        after: &'static str,
        /// Linked modules with a similar name.
        nearest: Vec<&'static str>,
    },
    /// `after` goes in a circle.
    #[error("modules wait for each other: {}\n  help: take one `after` away", cycle.join(" after "))]
    AfterCycle {
        /// The modules, the first repeated at the end.
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
    /// Two hosts with one name.
    #[error("host `{name}` is configured twice\n  help: a name in other letters is the same host")]
    DuplicateHost {
        /// The name.
        name: String,
    },
    /// A module's options are not what it declares.
    #[error("options of module `{module}`{place}: {source}")]
    Options {
        /// The module.
        module: Box<str>,
        /// Where they stand, when that is known: `` on `localhost` ``.
        place: String,
        /// What is wrong.
        source: Box<toml::de::Error>,
    },
    /// A module's `start` failed.
    #[error("module `{module}` did not start on `{host}`: {reason}")]
    Module {
        /// The module.
        module: &'static str,
        /// The host.
        host: Box<str>,
        /// What it said.
        reason: String,
    },
    /// A host name that is not a domain.
    #[error("`{name}` is not a host name: {reason}")]
    HostName {
        /// The name.
        name: String,
        /// Why.
        reason: String,
    },
    /// Anything else a module reports from its `start`.
    #[error("{0}")]
    Other(String),
}

impl StartError {
    pub(crate) fn unknown_module(
        name: &str,
        place: impl Into<String>,
        registry: &crate::module::registry::Registry,
    ) -> Self {
        let unlisted = registry.unlisted().iter().find(|module| module.name == name);
        Self::UnknownModule {
            name: name.into(),
            place: place.into(),
            unlisted: unlisted.map(|module| module.crate_name()),
            nearest: event_catalogue::nearest(name, registry.names()),
        }
    }
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
