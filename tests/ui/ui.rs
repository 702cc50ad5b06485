//! The error messages of the attributes, and code that must compile.
//!
//! `tests/ui/KIND/*.rs` are modules with one mistake each, with the compiler's output beside each;
//! `tests/ui/pass/*.rs` compile. To run one case: `cargo test -p spondee-ui --test ui -- compile
//! trybuild=names/message.rs`. After a change of the messages: `TRYBUILD=overwrite`, then read the diff.
//!
//! The output contains messages of the compiler, so it belongs to the toolchain in `Cargo.toml`.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::{
    fs,
    path::{Path, PathBuf},
};

const KINDS: [&str; 11] = [
    "names",
    "namespaces",
    "elements",
    "features",
    "signature",
    "priority",
    "options",
    "modules",
    "events",
    "foreign",
    "fires",
];

#[test]
fn compile() {
    let cases = trybuild::TestCases::new();
    for kind in KINDS {
        cases.compile_fail(format!("{kind}/*.rs"));
    }
    cases.pass("pass/*.rs");
}

#[test]
fn each_mistake_is_one_error_at_the_wrong_token() {
    let cases: Vec<_> = KINDS.into_iter().flat_map(sources).collect();
    assert!(cases.len() >= 150, "only {} cases", cases.len());
    for case in cases {
        let expected = fs::read_to_string(case.with_extension("stderr")).unwrap();
        let source = fs::read_to_string(&case).unwrap();
        let name = case.display();

        let errors = expected.lines().filter(|line| line.starts_with("error")).count();
        assert_eq!(errors, 1, "{name}: {errors} errors");
        assert!(!expected.lines().any(|line| line.starts_with("warning")), "{name}: a warning");

        let (line, column) = place(&expected).unwrap();
        let text = source.lines().nth(line - 1).unwrap();
        let (before, token) = text.split_at(column - 1);
        let is_attribute = before.trim().is_empty() && token.starts_with("#[");
        assert!(!is_attribute, "{name}: the error is at the bare attribute");

        let first = expected.lines().next().unwrap();
        assert!(first.len() <= 240, "{name}: {} characters in one line", first.len());
    }
}

#[test]
fn each_case_is_short_and_its_first_line_names_the_mistake() {
    for case in KINDS.into_iter().chain(["pass"]).flat_map(sources) {
        let source = fs::read_to_string(&case).unwrap();
        let name = case.display();
        let stem = case.file_stem().unwrap().to_str().unwrap();
        assert!(stem.bytes().all(|b| b.is_ascii_lowercase() || b == b'-'), "{name}");
        assert!(source.starts_with("//! "), "{name}: the first line must name the mistake");
        let passes = case.parent().is_some_and(|folder| folder.ends_with("pass"));
        let lines = source.lines().count();
        assert!(passes || lines <= 24, "{name}: {lines} lines");
    }
}

fn sources(kind: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(kind);
    let files = fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
    files.filter(|file| file.extension().is_some_and(|extension| extension == "rs")).collect()
}

/// The line and column of the error.
fn place(expected: &str) -> Option<(usize, usize)> {
    let arrow = expected.lines().find(|line| line.trim_start().starts_with("--> "))?;
    let mut parts = arrow.rsplit(':');
    let column = parts.next()?.parse().ok()?;
    Some((parts.next()?.parse().ok()?, column))
}
