//! What is known of a module before anything runs.

/// What is known of a module before anything runs.

#[derive(Debug)]
#[non_exhaustive]
pub struct ModuleInfo {
    /// Its name in the configuration.
    pub name: &'static str,
    /// What it is for: the struct's documentation.
    pub doc: &'static str,
    /// Features it adds to service discovery (XEP-0030).
    pub features: &'static [&'static str],
    /// Modules whose handlers run before its own at equal priority.
    pub after: &'static [&'static str],
    /// Its options.
    pub options: &'static [OptionInfo],
    /// The Rust module it is declared in.
    pub module_path: &'static str,
    /// The source file.
    pub file: &'static str,
    /// The line there.
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
        Self { name, doc, features, after, options, module_path, file, line }
    }

    /// The crate it comes from, as Rust paths spell it.
    pub(crate) fn crate_name(&self) -> &'static str {
        crate::util::rust_path::crate_of(self.module_path)
    }

    pub(crate) fn place(&self) -> String {
        format!("{}:{}", self.file, self.line)
    }
}

/// One option of a module.
#[derive(Debug)]
#[non_exhaustive]
pub struct OptionInfo {
    /// The key.
    pub name: &'static str,
    /// Its documentation.
    pub doc: &'static str,
    /// Its Rust type, as written.
    pub kind: &'static str,
}

impl OptionInfo {
    #[doc(hidden)]
    pub const fn new(name: &'static str, doc: &'static str, kind: &'static str) -> Self {
        Self { name, doc, kind }
    }
}
