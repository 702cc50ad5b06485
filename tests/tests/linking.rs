//! A module that is missing in a binary, or present twice, stops the build or the start with a
//! message that says what to do. The binaries in `fixtures` have such mistakes.
//!
//! `.ci/run` runs these tests again with `SPONDEE_LINKING_PROFILE=release`, to test linking under
//! LTO.

#![allow(clippy::unwrap_used, reason = "tests and their helpers")]

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
    sync::LazyLock,
};

fn workspace() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

fn is_release() -> bool {
    std::env::var("SPONDEE_LINKING_PROFILE").is_ok_and(|profile| profile == "release")
}

fn cargo(command: &str, folder: &Path) -> Command {
    let mut cargo = Command::new(env!("CARGO"));
    cargo
        .args([command, "--offline", "--target-dir"])
        .arg(workspace().join("target/fixtures"))
        .current_dir(folder)
        .env("CARGO_NET_OFFLINE", "true")
        .env_remove("RUSTFLAGS");
    cargo
}

/// The folder of the built binaries.
static BINARIES: LazyLock<PathBuf> = LazyLock::new(|| {
    let fixtures = workspace().join("tests/fixtures");
    fs::copy(workspace().join("Cargo.lock"), fixtures.join("Cargo.lock")).unwrap();
    let mut build = cargo("build", &fixtures);
    build.args(["--quiet", "--package", "linking"]);
    if is_release() {
        build.arg("--release");
    }
    let built = build.output().unwrap();
    assert!(built.status.success(), "{}", stderr(&built));
    workspace().join("target/fixtures").join(if is_release() { "release" } else { "debug" })
});

fn run(binary: &str, arguments: &[&str]) -> Output {
    Command::new(BINARIES.join(binary)).args(arguments).output().unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).replace('\\', "/")
}

/// The error of a start with these crates listed and these modules enabled.
fn refused(crates: &str, modules: &str) -> String {
    let output = run("modules", &[crates, modules]);
    assert!(!output.status.success(), "{output:?}");
    let stderr = stderr(&output);
    let said: Vec<_> = stderr.lines().filter(|line| !line.starts_with("unlisted: ")).collect();
    said.join("\n")
}

#[test]
fn every_hook_of_a_listed_crate_is_linked() {
    let output = run("modules", &["complete", "complete_first,complete_second"]);
    assert!(output.status.success(), "{}", stderr(&output));
    assert_eq!(
        String::from_utf8_lossy(&output.stdout),
        "\
server-started complete_first first::inner::started
resource-bind complete_second second::bound
message/bare complete_first first::message
iq-get/host/jabber:iq:version:query complete_first first::version
complete-happened complete_second second::happened
"
    );
}

#[test]
fn a_crate_of_edition_2021_that_renames_event_core_is_linked() {
    let output = run("modules", &["edition_2021", "edition_2021"]);
    assert!(output.status.success(), "{}", stderr(&output));
    assert_eq!(
        String::from_utf8_lossy(&output.stdout),
        "message/bare edition_2021 edition_2021::gen\nedition-passed edition_2021 edition_2021::passed\n"
    );
}

#[test]
fn a_crate_that_is_linked_but_not_listed_never_runs() {
    let output = run("modules", &["complete", ""]);
    assert!(output.status.success() && output.stdout.is_empty(), "{output:?}");
    let unlisted = "unlisted: edition_2021\nunlisted: hookless\nunlisted: orphan\nunlisted: twin\nunlisted: twin\n";
    assert_eq!(stderr(&output), unlisted);
    assert_eq!(
        refused("complete", "twin"),
        "module `twin` of host `localhost` is not in this binary\n  help: the module's crate is linked but not listed: add `twin_a::BUNDLE` to the binary's list"
    );
}

#[test]
fn a_listed_crate_without_a_module_is_refused() {
    assert_eq!(
        refused("complete,empty", ""),
        "crate `empty` is listed in the binary but has no linked module\n  help: add a `#[module]` struct to the crate, or remove `empty::BUNDLE` from the list"
    );
}

#[test]
fn a_module_without_a_hook_is_refused() {
    assert_eq!(
        refused("complete,hookless", ""),
        "module `hookless` (hookless/src/lib.rs:6) has no hook\n  help: annotate a function in the struct's Rust module with `#[hook(…)]`, and check that no `mod` line is missing and no `cfg` excludes the function"
    );
}

#[test]
fn a_hook_without_a_module_is_refused() {
    assert_eq!(
        refused("orphan", ""),
        "hook `orphan::nobodys` (orphan/src/lib.rs:18) belongs to no module\n  help: add a `#[module]` struct to the hook's Rust module or to an enclosing module"
    );
}

#[test]
fn two_modules_of_one_name_are_refused() {
    assert_eq!(
        refused("twin_b,twin_a", ""),
        "two modules are called `twin`: twin-a/src/lib.rs:8 and twin-b/src/lib.rs:8\n  help: rename one with `#[module(name = \"…\")]`"
    );
}

#[test]
fn two_events_of_one_name_are_refused() {
    let output = run("events", &[]);
    assert!(!output.status.success());
    assert_eq!(
        stderr(&output),
        "two events are called `claimed`: events-a/src/lib.rs:6 and events-b/src/lib.rs:6\n  help: begin the name with the module's name, as in `muc-claimed`\n"
    );
}

#[test]
fn an_enabled_module_that_is_not_linked_is_refused() {
    assert_eq!(
        refused("complete", "complete_frist"),
        "module `complete_frist` of host `localhost` is not in this binary\n  help: did you mean `complete_first`?"
    );
    // The module's crate is a dependency, but nothing names it.
    assert_eq!(
        refused("complete", "forgotten"),
        "module `forgotten` of host `localhost` is not in this binary\n  help: list the module's crate in the binary (`spondee::main(&[…])`), or remove the name from the configuration"
    );
}

#[test]
fn two_versions_of_event_core_are_refused_by_cargo() {
    let folder = workspace().join("target/fixtures/two-versions");
    // Two folders side by side: each crate is its own workspace.
    let other = workspace().join("target/fixtures/event-core-of-another-version");
    fs::create_dir_all(other.join("src")).unwrap();
    fs::create_dir_all(folder.join("src")).unwrap();
    fs::write(folder.join("src/lib.rs"), "").unwrap();
    fs::write(other.join("src/lib.rs"), "").unwrap();
    fs::write(other.join("build.rs"), "fn main() {}").unwrap();
    fs::write(
        other.join("Cargo.toml"),
        "[package]\nname = \"event-core\"\nversion = \"0.999.0\"\nedition = \"2024\"\nlinks = \"event-core\"\n[workspace]\n",
    )
    .unwrap();
    let core = workspace().join("event-core");
    fs::write(
        folder.join("Cargo.toml"),
        format!(
            "[package]\nname = \"two-versions\"\nversion = \"0.1.0\"\nedition = \"2024\"\n[workspace]\n[dependencies]\nevent-core = {{ path = {core:?} }}\nother = {{ package = \"event-core\", path = {other:?} }}\n"
        ),
    )
    .unwrap();
    fs::copy(workspace().join("Cargo.lock"), folder.join("Cargo.lock")).unwrap();
    let output = cargo("check", &folder).output().unwrap();
    assert!(!output.status.success());
    let stderr = stderr(&output);
    assert!(stderr.contains("`event-core` links to the native library `event-core`"), "{stderr}");
    assert!(stderr.contains("0.999.0"), "{stderr}");
}
