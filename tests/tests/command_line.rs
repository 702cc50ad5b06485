//! The commands of the server's binary, with and without a running server.
#![expect(clippy::unwrap_used, reason = "a test that cannot continue has failed")]

use std::{io::Write, process::Stdio};

use spondee_tests::{
    client::{Connector, Tls, authenticate},
    server::{Server, binary},
};

fn output(server: &Server, arguments: &[&str]) -> (bool, String) {
    let output = server
        .command()
        .args(arguments)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .output()
        .unwrap();
    let mut text = String::from_utf8(output.stdout).unwrap();
    text.push_str(&String::from_utf8(output.stderr).unwrap());
    (output.status.success(), text)
}

#[tokio::test]
async fn the_user_commands_work_while_the_server_runs() {
    let server = Server::start();
    let mut add = server
        .command()
        .args(["user", "add", "tybalt@localhost", "--password-stdin"])
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    add.stdin.take().unwrap().write_all(b"king of cats\n").unwrap();
    assert!(add.wait().unwrap().success());
    let connector = Connector::new(&server, Tls::Direct, false);
    authenticate(&connector, "tybalt@localhost", "king of cats", None).await.unwrap();

    let (is_ok, list) = output(&server, &["user", "list"]);
    assert!(is_ok && list.contains("tybalt@localhost"), "{list}");
    let (is_ok, text) = output(&server, &["user", "remove", "tybalt@localhost"]);
    assert!(is_ok, "{text}");
    let (is_ok, list) = output(&server, &["user", "list"]);
    assert!(is_ok && !list.contains("tybalt"), "{list}");
    let (is_ok, text) = output(&server, &["user", "remove", "tybalt@localhost"]);
    assert!(!is_ok && text.contains("tybalt@localhost"), "{text}");
}

#[test]
fn the_hooks_command_lists_the_running_server() {
    let server = Server::start();
    let (is_ok, text) = output(&server, &["hooks", "--module", "version"]);
    assert!(is_ok, "{text}");
    assert!(text.contains("iq-get/host/jabber:iq:version:query"), "{text}");
    assert!(text.contains("version.rs:"), "{text}");
    let (is_ok, json) = output(&server, &["hooks", "--event", "server-started", "--json"]);
    assert!(is_ok && json.contains("\"recorder\""), "{json}");
}

#[test]
fn names_that_nothing_has_are_refused() {
    let server = Server::start();
    let (is_ok, text) = output(&server, &["hooks", "--module", "versio"]);
    assert!(!is_ok, "{text}");
    assert!(
        text.contains("the module versio is not in this binary; did you mean version?"),
        "{text}"
    );
    let (is_ok, text) = output(&server, &["hooks", "--event", "server-startd"]);
    assert!(!is_ok && text.contains("did you mean server-started?"), "{text}");
    let (is_ok, text) = output(&server, &["modules", "--crate", "spondee-module"]);
    let message =
        "the crate spondee_module has no modules in this binary; did you mean spondee_modules?";
    assert!(!is_ok && text.contains(message), "{text}");
    assert!(output(&server, &["modules", "--crate", "spondee-modules"]).0);
    let (is_ok, text) = output(&server, &["hooks", "--module", "register"]);
    assert!(is_ok && text.contains("this config has no such handler"), "{text}");
}

#[test]
fn a_second_server_on_the_same_data_is_refused() {
    let server = Server::start();
    let (is_ok, text) = output(&server, &[]);
    assert!(!is_ok, "{text}");
    assert!(text.contains("data"), "{text}");
}

#[test]
fn a_mistake_in_the_config_is_reported_with_file_line_and_nearest_key() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("bad.toml");
    for (text, expected) in [
        ("dat = \"x\"\n", vec!["bad.toml:1", "dat", "data"]),
        ("[host.\"a.example\"]\nmodule = 3\n", vec!["bad.toml:2"]),
        ("[host.\"a.example\"]\nmodules = [\"+versoin\"]\n", vec!["versoin", "version"]),
        (
            "[host.\"a.example\".module.version]\nhide_so = true\n",
            vec!["bad.toml:2", "hide_so", "hide_os"],
        ),
        ("[[listen]]\nkind = \"c2x\"\n", vec!["bad.toml:2", "c2s"]),
        (
            "[limits]\ndepth = 1\n[host.\"a.example\".module.version]\nhide_so = true\n",
            vec!["bad.toml:2", "limits.depth", "bad.toml:4", "hide_os"],
        ),
    ] {
        std::fs::write(&file, text).unwrap();
        let output = binary()
            .args(["--config", file.to_str().unwrap(), "check"])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .output();
        let output = output.unwrap();
        let said = format!(
            "{}{}",
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        );
        assert!(!output.status.success(), "{text}: {said}");
        for word in expected {
            assert!(said.contains(word), "{word:?} expected for {text}: {said}");
        }
    }
}
