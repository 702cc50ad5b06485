//! A crate that `spondee new-module` makes compiles without warnings, passes its tests, and its
//! server answers a client, all without an edit. docs/tutorial.md shows this crate.
#![allow(clippy::unwrap_used, reason = "tests, their helpers too")]

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

use spondee_tests::{
    client::login,
    server::{Server, binary},
};
use tokio_xmpp::{IqResponse, minidom::Element, parsers::presence::Presence};

const PAGE: &str = include_str!("../../docs/tutorial.md");

/// The listings of the page with this head, such as `rust src/lib.rs`.
fn listings(head: &str) -> Vec<&'static str> {
    let fence = format!("```{head}\n");
    let rest = PAGE.split(&*fence).skip(1);
    rest.map(|rest| rest.split_once("\n```").unwrap().0).collect()
}

fn workspace() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

/// The target folder of this build, so that the dependencies are there already.
fn target() -> PathBuf {
    // The test binary is …/debug/deps/new_module-1234.
    std::env::current_exe().unwrap().ancestors().nth(3).unwrap().to_owned()
}

/// Runs cargo in the new crate, and returns its standard output.
fn cargo(folder: &Path, arguments: &[&str]) -> String {
    let mut cargo = Command::new(env!("CARGO"));
    // Cargo tells this test about its own package. Build scripts such as ring's take other values
    // for a reason to run again, for this build and for the next one of the workspace.
    for (name, _) in std::env::vars_os() {
        let prefixes = ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_"];
        if prefixes.iter().any(|prefix| name.to_string_lossy().starts_with(prefix)) {
            cargo.env_remove(name);
        }
    }
    cargo.args(arguments).arg("--offline").current_dir(folder);
    let output = cargo.env("CARGO_TARGET_DIR", target()).output().unwrap();
    let (stdout, stderr) = text(&output);
    assert!(output.status.success(), "{arguments:?}:\n{stderr}\n{stdout}");
    assert!(!stderr.contains("warning"), "{stderr}");
    stdout
}

fn text(output: &Output) -> (String, String) {
    let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
    (text(&output.stdout), text(&output.stderr))
}

/// The steps of the page, which the next test takes.
#[test]
fn the_page_says_what_is_tested() {
    let commands: Vec<_> = listings("sh").iter().flat_map(|listing| listing.lines()).collect();
    assert_eq!(
        commands,
        [
            "cargo run -- new-module sticky-note --dir ../sticky-note",
            "cd ../sticky-note",
            "cargo test",
            "cargo run -- user add romeo@localhost",
            "cargo run",
        ]
    );
}

#[tokio::test]
async fn a_new_crate_passes_its_tests_and_its_server_answers_a_client() {
    // The same folder each time: another one would be built beside the last.
    let folder = target().join("sticky-note");
    if folder.exists() {
        fs::remove_dir_all(&folder).unwrap();
    }
    let mut make = binary();
    make.args(["new-module", "sticky-note", "--dir"]).arg(&folder);
    let made = make.stdout(Stdio::piped()).stderr(Stdio::piped()).output().unwrap();
    assert!(made.status.success(), "{:?}", text(&made));

    let tested = cargo(&folder, &["test"]);
    assert!(tested.contains("3 passed"), "{tested}");
    cargo(&folder, &["build"]);
    let mut format = Command::new(env!("CARGO"));
    let formatted = format.args(["fmt", "--check"]).current_dir(&folder).output().unwrap();
    assert!(formatted.status.success(), "{:?}", text(&formatted));

    let server = start(target().join("debug/sticky-note-server"));
    let mut desktop = login(&server, "romeo@localhost/desktop").await;
    let note = page_stanza().children().next().unwrap().clone();
    let text = note.text();
    let kept = desktop.set(None, note.clone()).await;
    assert!(matches!(kept, IqResponse::Result(_)), "{kept:?}");
    let answer = desktop.get(None, Element::bare("note", note.ns())).await;
    let IqResponse::Result(Some(answer)) = answer else { panic!("{answer:?}") };
    assert_eq!(answer.text(), text);
    let mut phone = login(&server, "romeo@localhost/phone").await;
    phone.send(Presence::available()).await;
    assert_eq!(phone.message().await.bodies.into_values().next(), Some(text));
    let long = Element::builder("note", note.ns()).append("x".repeat(101)).build();
    let refused = desktop.set(None, long).await;
    assert!(matches!(refused, IqResponse::Error(_)), "{refused:?}");
}

/// The stanza of the page, in the namespace of a client's stream.
fn page_stanza() -> Element {
    let [stanza] = listings("xml").try_into().unwrap();
    stanza.replacen("<iq ", "<iq xmlns='jabber:client' ", 1).parse().unwrap()
}

/// Starts the server of the new crate with the options of the page, and an account.
fn start(binary: PathBuf) -> Server {
    let folder = tempfile::tempdir().unwrap();
    let [options] = listings("toml").try_into().unwrap();
    let mut config = format!("data = {:?}\n{options}\n", folder.path().join("data"));
    for kind in ["c2s", "c2s-tls"] {
        config.push_str(&format!("[[listen]]\nkind = {kind:?}\naddress = \"127.0.0.1:0\"\n"));
    }
    let file = folder.path().join("spondee.toml");
    fs::write(&file, config).unwrap();
    let accounts = folder.path().join("accounts.csv");
    fs::write(&accounts, "romeo@localhost,romeo\n").unwrap();
    let mut import = Command::new(&binary);
    import.arg("--config").arg(file).args(["user", "import"]).arg(accounts);
    let imported = import.output().unwrap();
    assert!(imported.status.success(), "{:?}", text(&imported));
    Server::run_binary(binary, folder)
}

/// The listings of a file, one after the other, are the whole file.
#[test]
fn the_page_shows_the_whole_crate() {
    let lines = |text: &str| -> Vec<String> {
        text.lines().filter(|line| !line.is_empty()).map(str::to_owned).collect()
    };
    for (file, template, language) in [
        ("Cargo.toml", "manifest.toml", "toml"),
        ("server/Cargo.toml", "server/manifest.toml", "toml"),
        (".cargo/config.toml", "cargo-config.toml", "toml"),
        ("src/lib.rs", "src/lib.rs", "rust"),
        ("src/tests.rs", "src/tests.rs", "rust"),
        ("server/src/main.rs", "server/src/main.rs", "rust"),
    ] {
        let template = workspace().join("server/template").join(template);
        let listed = listings(&format!("{language} {file}")).join("\n");
        assert_eq!(lines(&listed), lines(&fs::read_to_string(template).unwrap()), "{file}");
    }
    let fences = PAGE.lines().filter(|line| line.starts_with("```")).count();
    assert_eq!(fences % 2, 0);
}
