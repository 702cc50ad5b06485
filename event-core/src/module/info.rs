//! The static description of a module.

use crate::events::info::EventInfo;

/// The static description of a module.
#[derive(Debug)]
#[non_exhaustive]
pub struct ModuleInfo {
    /// The name in the configuration.
    pub name: &'static str,
    /// The documentation of the struct, as Markdown.
    pub doc: &'static str,
    /// The features that the module announces in service discovery (XEP-0030).
    pub features: &'static [&'static str],
    /// The modules whose handlers run before this module's handlers at equal priority.
    pub after: &'static [&'static str],
    /// The events that the module fires.
    pub fires: &'static [&'static EventInfo],
    /// The options.
    pub options: &'static [OptionInfo],
    /// The Rust module that contains the struct.
    pub module_path: &'static str,
    /// The source file of the struct.
    pub file: &'static str,
    /// The line of the struct.
    pub line: u32,
}

impl ModuleInfo {
    #[doc(hidden)]
    pub const fn new(
        (name, doc): (&'static str, &'static str),
        features: &'static [&'static str],
        after: &'static [&'static str],
        options: &'static [OptionInfo],
        (module_path, file, line): (&'static str, &'static str, u32),
    ) -> Self {
        Self { name, doc, features, after, fires: &[], options, module_path, file, line }
    }

    #[doc(hidden)]
    #[must_use]
    pub const fn fires(self, fires: &'static [&'static EventInfo]) -> Self {
        Self { fires, ..self }
    }

    /// Whether the module declares that it fires this event.
    pub(crate) fn declares(&self, event: &str) -> bool {
        self.fires.iter().any(|fired| fired.name == event)
    }

    /// The crate of the module, as Rust paths spell the name.
    pub(crate) fn crate_name(&self) -> &'static str {
        crate::util::rust_path::crate_of(self.module_path)
    }

    pub(crate) fn place(&self) -> String {
        format!("{}:{}", self.file, self.line)
    }
}

/// One option of a module.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct OptionInfo {
    /// The key in the configuration.
    pub name: &'static str,
    /// Other keys for the same option.
    pub aliases: &'static [&'static str],
    /// The documentation, as Markdown.
    pub doc: &'static str,
    /// The Rust type as written in the source.
    pub kind: &'static str,
    /// The default: `100`, `"Welcome!"`, or `function()`. `None` for a required option, for an
    /// `Option` without a default, and for a default that the attributes do not show.
    pub default: Option<&'static str>,
    /// Whether the option has to be given.
    pub is_required: bool,
}

impl OptionInfo {
    #[doc(hidden)]
    pub const fn new(
        name: &'static str,
        aliases: &'static [&'static str],
        doc: &'static str,
        kind: &'static str,
        default: Option<&'static str>,
        is_required: bool,
    ) -> Self {
        Self { name, aliases, doc, kind, default, is_required }
    }

    /// The key, then the aliases.
    pub(crate) fn keys(&self) -> impl Iterator<Item = &'static str> + use<> {
        std::iter::once(self.name).chain(self.aliases.iter().copied())
    }
}
