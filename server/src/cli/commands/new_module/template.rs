//! The files of a new crate. They are those of the folder `template`, a crate `sticky-note` beside
//! a checkout of Spondee, with other names and paths.

use std::path::Path;

use super::{DEPENDENCIES, NewModuleError};
use crate::cli::CrateName;

const MANIFEST: &str = include_str!("../../../../template/manifest.toml");

const SOURCES: [(&str, &str); 4] = [
    (".gitignore", include_str!("../../../../template/gitignore")),
    ("src/lib.rs", include_str!("../../../../template/src/lib.rs")),
    ("src/main.rs", include_str!("../../../../template/src/main.rs")),
    ("src/tests.rs", include_str!("../../../../template/src/tests.rs")),
];

/// The files of the crate: path and text.
pub(super) fn files(
    name: &CrateName,
    spondee: &Path,
) -> Result<Vec<(&'static str, String)>, NewModuleError> {
    let mut files = vec![("Cargo.toml", manifest(name, spondee)?)];
    files.extend(SOURCES.map(|(path, text)| (path, source(name, text))));
    Ok(files)
}

/// The event that the crate declares.
pub(super) fn event(name: &CrateName) -> String {
    source(name, "sticky-note-changed")
}

/// Whether the code of the crate has this word with another meaning than the module's type.
pub(super) fn has_word(word: &str) -> bool {
    let is_code = |line: &&str| !line.trim_start().starts_with("//");
    let mut code = SOURCES.iter().flat_map(|(_, text)| text.lines().filter(is_code));
    let is_word = |other| other == word;
    word != "StickyNote" && code.any(|line| line.split(|c: char| !c.is_alphanumeric()).any(is_word))
}

fn source(name: &CrateName, text: &str) -> String {
    text.replace("sticky-note", &name.kebab_case())
        .replace("sticky_note", &name.snake_case())
        .replace("StickyNote", &name.camel_case())
}

fn manifest(name: &CrateName, spondee: &Path) -> Result<String, NewModuleError> {
    let mut manifest = MANIFEST.replace("sticky-note", name.as_str());
    for folder in DEPENDENCIES {
        let path = spondee.join(folder);
        let path = path.to_str().ok_or_else(|| NewModuleError::NotUnicode(path.clone()))?;
        let quoted = toml::Value::from(path).to_string();
        manifest = manifest.replace(&format!("\"../spondee/{folder}\""), &quoted);
    }
    Ok(manifest)
}
