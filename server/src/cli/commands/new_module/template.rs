//! The files of a new crate: those of the folder `template`, a crate `sticky-note` for a checkout in
//! `/path/to/spondee`, with other names and paths.

use std::path::Path;

use super::error::NewModuleError;
use crate::cli::CrateName;

/// The path in the new crate, and the text.
type File = (&'static str, &'static str);

/// Files for cargo, with the name of the crate as it was given and paths of the checkout.
const MANIFESTS: [File; 3] = [
    ("Cargo.toml", include_str!("../../../../template/manifest.toml")),
    ("server/Cargo.toml", include_str!("../../../../template/server/manifest.toml")),
    (".cargo/config.toml", include_str!("../../../../template/cargo-config.toml")),
];

const SOURCES: [File; 4] = [
    (".gitignore", include_str!("../../../../template/gitignore")),
    ("src/lib.rs", include_str!("../../../../template/src/lib.rs")),
    ("src/tests.rs", include_str!("../../../../template/src/tests.rs")),
    ("server/src/main.rs", include_str!("../../../../template/server/src/main.rs")),
];

/// The folders that the files are in.
pub(super) const FOLDERS: [&str; 4] = [".cargo", "src", "server", "server/src"];

/// The packages that the crate depends on, as folders of the checkout.
pub(super) const DEPENDENCIES: [&str; 3] = ["event-core", "server", "modules"];

/// The files of the crate: path and text.
pub(super) fn files(
    name: &CrateName,
    spondee: &Path,
) -> Result<Vec<(&'static str, String)>, NewModuleError> {
    let mut files = Vec::new();
    for (path, text) in MANIFESTS {
        files.push((path, manifest(name, spondee, text)?));
    }
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

fn manifest(name: &CrateName, spondee: &Path, text: &str) -> Result<String, NewModuleError> {
    let mut manifest = text.replace("sticky-note", name.as_str());
    for folder in DEPENDENCIES.iter().chain(&["target"]) {
        let path = spondee.join(folder);
        let path = path.to_str().ok_or_else(|| NewModuleError::NotUnicode(path.clone()))?;
        let quoted = toml::Value::from(path).to_string();
        manifest = manifest.replace(&format!("\"/path/to/spondee/{folder}\""), &quoted);
    }
    Ok(manifest)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// With other profiles, the crate could not share the dependencies that Spondee has built.
    #[test]
    fn the_crate_is_built_as_spondee_is() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../Cargo.toml");
        let spondee: toml::Table = std::fs::read_to_string(root).unwrap().parse().unwrap();
        let (_, manifest) = MANIFESTS[0];
        let manifest: toml::Table = manifest.parse().unwrap();
        for profile in ["dev", "release"] {
            assert_eq!(manifest["profile"][profile], spondee["profile"][profile], "{profile}");
        }
    }
}
