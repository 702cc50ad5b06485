//! A crate that has hooks and forgot its `#[module]`: the first test on the harness says so.

use event_core::{prelude::*, testing};

#[hook("resource-bind")]
fn greet(_: &ResourceBind) {}

#[test]
#[should_panic = "hook `hook_without_module::greet` (event-core/tests/hook_without_module.rs:5) belongs to no module\n  \
                  help: add a `#[module]` struct to the hook's Rust module or to an enclosing module"]
fn the_start_fails_with_the_message() {
    testing::run(async { testing::host("example.org").start().await.unwrap() });
}
