//! The generated files in the repository: the pages of events, modules and the config, and the table
//! of the bundled modules.
//! With `UPDATE=1` in the environment the tests write these files.
#![expect(clippy::unwrap_used, reason = "a test that cannot continue has failed")]

use std::{path::Path, process::Stdio};

use spondee_tests::server::binary;

fn output(arguments: &[&str]) -> String {
    let folder = tempfile::tempdir().unwrap();
    let output = binary()
        .args(arguments)
        .current_dir(folder.path())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn assert_current(file: &str, current: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(file);
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&path, current).unwrap();
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    if let Some((number, (is, was))) = current
        .lines()
        .chain([""])
        .zip(committed.lines().chain([""]))
        .enumerate()
        .find(|(_, (is, was))| is != was)
    {
        panic!(
            "{file} is stale at line {}: found {was:?}, expected {is:?}; run this test with UPDATE=1",
            number + 1
        );
    }
    assert_eq!(committed.len(), current.len(), "{file} is stale");
}

#[test]
fn the_page_of_events_is_up_to_date() {
    assert_current("docs/events.md", &output(&["events", "--markdown"]));
}

#[test]
fn the_page_of_modules_is_up_to_date() {
    assert_current(
        "docs/modules.md",
        &output(&["modules", "--markdown", "--crate", "spondee_modules"]),
    );
}

#[test]
fn the_page_of_the_config_is_up_to_date() {
    assert_current("docs/config.md", &output(&["config-keys", "--markdown"]));
}

/// The table leaves out file positions, so that only a changed table fails the test.
#[test]
fn the_table_of_the_bundled_modules_is_up_to_date() {
    let json = output(&["hooks", "--json"]);
    let is_place = |line: &&str| {
        let line = line.trim_start();
        line.starts_with("\"line\"") || line.starts_with("\"column\"")
    };
    let lines: Vec<_> = json.lines().filter(|line| !is_place(line)).collect();
    assert_current("tests/golden/hooks.json", &(lines.join("\n") + "\n"));
}
