//! No log line that an operator sees has Rust's `Debug` form of a value, such as `Some(127.0.0.1)`.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::{
    fs,
    path::{Path, PathBuf},
};

/// The files of a folder, without tests.
fn sources(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs")
            && !path.ends_with("tests.rs")
        {
            files.push(path);
        }
    }
}

/// The fields of a call of `tracing` that are logged with `?`.
fn debug_fields(call: &str) -> Vec<&str> {
    let fields = call.split(['(', ',']).map(str::trim);
    fields.filter(|field| field.starts_with('?') || field.contains("= ?")).collect()
}

#[test]
fn logged_values_are_for_people() {
    assert_eq!(debug_fields("%a, peer = ?b.peer(), ?c, \"who?\""), ["peer = ?b.peer", "?c"]);
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut files = Vec::new();
    for folder in ["server/src", "modules/src", "event-core/src"] {
        sources(&root.join(folder), &mut files);
    }
    let mut found = 0;
    for file in files {
        let text = fs::read_to_string(&file).unwrap();
        for level in ["tracing::info!", "tracing::warn!", "tracing::error!"] {
            for call in text.split(level).skip(1) {
                let call = call.split(");").next().unwrap();
                assert_eq!(debug_fields(call), [""; 0], "{}: {level}{call}", file.display());
                found += 1;
            }
        }
    }
    assert!(found > 20, "{found}");
}
