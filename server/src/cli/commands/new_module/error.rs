//! Why no crate was made.

use std::{io, path::PathBuf};

use event_core::StartError;

/// Why no crate was made.
#[derive(Debug, thiserror::Error)]
pub(in crate::cli::commands) enum NewModuleError {
    #[error(transparent)]
    Start(#[from] StartError),
    #[error(
        "a crate `{name}` would have the {what} `{other}`, which exists already\n  help: choose another name"
    )]
    Taken { name: String, what: &'static str, other: String },
    #[error(
        "there is no checkout of Spondee in {}\n  help: the crate depends on one: clone Spondee, and name the folder with `--spondee PATH`",
        _0.display()
    )]
    NoCheckout(PathBuf),
    #[error("{} exists already\n  help: choose another folder with `--dir DIR`", _0.display())]
    Exists(PathBuf),
    #[error("the path {} is not Unicode, as Cargo.toml must be", _0.display())]
    NotUnicode(PathBuf),
    #[error("cannot write {}: {source}", path.display())]
    Write { path: PathBuf, source: io::Error },
}
