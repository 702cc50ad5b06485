//! Whole command lines: what is parsed, what is printed, and the exit code.

use std::cell::RefCell;
use std::fs;
use std::path::Path;

use zeroize::Zeroizing;

use super::*;

/// Records the calls.
#[derive(Default)]
struct Noted(RefCell<Vec<String>>);

impl Noted {
    fn note(&self, text: String) -> u8 {
        self.0.borrow_mut().push(text);
        7
    }
}

impl Actions for Noted {
    fn start(&self, config: Result<Config, InvalidConfig>) -> u8 {
        let data = config.map(|config| config.data.display().to_string());
        self.note(format!("start {}", data.unwrap_or_default()))
    }

    fn hooks(&self, _config: Config, query: &HooksQuery) -> u8 {
        self.note(format!("{query:?}"))
    }

    fn events(&self, options: PageOptions) -> u8 {
        self.note(format!("events {options:?}"))
    }

    fn modules(&self, query: &ModulesQuery) -> u8 {
        let of = query.crate_name.as_deref().unwrap_or_default();
        self.note(format!("modules{of} {:?}", query.page))
    }

    fn config_keys(&self, options: PageOptions) -> u8 {
        self.note(format!("config_keys {options:?}"))
    }

    fn reload(&self, config: Config) -> u8 {
        self.note(format!("reload {}", config.data.display()))
    }

    fn new_module(&self, request: &NewModule) -> u8 {
        self.note(format!("{request:?}"))
    }

    fn check(&self, config: Result<Config, InvalidConfig>, options: CheckOptions) -> u8 {
        self.note(format!("check {} {}", config.is_ok(), options.json))
    }
}

struct Answer(&'static str);

impl AskPassword for Answer {
    fn ask(&mut self) -> Result<Zeroizing<String>, CliError> {
        Ok(Zeroizing::new("asked".to_owned()))
    }

    fn read_line(&mut self) -> Result<Zeroizing<String>, CliError> {
        password::first_line(&mut self.0.as_bytes())
    }
}

struct Ran {
    code: u8,
    out: String,
    err: String,
}

fn run_line(actions: &dyn Actions, stdin: &'static str, args: &[&str]) -> Ran {
    let args = ["spondee"].iter().chain(args).map(OsString::from);
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let code = run_with(args, actions, &mut Answer(stdin), &mut out, &mut err);
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Ran { code, out: text(out), err: text(err) }
}

fn noted(args: &[&str]) -> String {
    let actions = Noted::default();
    let ran = run_line(&actions, "", args);
    assert_eq!(ran.code, 7, "{}{}", ran.out, ran.err);
    actions.0.into_inner().concat()
}

#[test]
fn commands_done_elsewhere() {
    assert_eq!(noted(&["--data", "x"]), "start x");
    for page in ["events", "modules", "config-keys"] {
        let form = |json: bool, markdown: bool| {
            format!("{} {:?}", page.replace('-', "_"), PageOptions { json, markdown })
        };
        assert_eq!(noted(&[page]), form(false, false));
        assert_eq!(noted(&[page, "--json"]), form(true, false));
        assert_eq!(noted(&[page, "--markdown"]), form(false, true));
    }
    assert!(noted(&["modules", "--crate", "_mine"]).starts_with("modules_mine "));
    assert_eq!(noted(&["check", "--data", "x"]), "check true false");
    assert_eq!(noted(&["check", "--json", "--config", "no/such.toml"]), "check false true");
    let made = noted(&["new-module", "sticky-note", "--dir", "D", "--spondee", "S"]);
    for part in ["\"sticky-note\"", "\"D\"", "\"S\""] {
        assert!(made.contains(part), "{made}");
    }
    let hooks = noted(&["hooks", "--host", "H", "--event", "E", "--module", "M", "--json"]);
    for part in ["\"H\"", "\"E\"", "\"M\"", "json: true"] {
        assert!(hooks.contains(part), "{hooks}");
    }
}

#[test]
fn wrong_command_lines() {
    let actions = Noted::default();
    for args in [
        &["usr"][..],
        &["user"],
        &["user", "add"],
        &["user", "add", "no-at-sign"],
        &["user", "add", "@"],
        &["events", "--json", "--markdown"],
        &["--port", "1"],
        &["new-module"],
        &["new-module", "Sticky"],
        &["new-module", "event-core"],
    ] {
        let ran = run_line(&actions, "", args);
        assert_eq!(ran.code, USAGE, "{args:?}");
        assert!(ran.out.is_empty() && !ran.err.is_empty(), "{args:?}");
    }
    let near = run_line(&actions, "", &["evnts"]);
    assert!(near.err.contains("'events'"), "{}", near.err);
    for args in [&["--help"][..], &["--version"], &["user", "add", "--help"]] {
        let ran = run_line(&actions, "", args);
        assert_eq!(ran.code, SUCCESS, "{args:?}");
        assert!(ran.out.contains("spondee") && ran.err.is_empty(), "{args:?}");
    }
    let missing = run_line(&actions, "", &["--config", "no/such.toml"]);
    assert_eq!(missing.code, FAILURE);
    assert!(missing.err.starts_with("error: cannot read the config file no/such.toml: "));
    assert!(actions.0.into_inner().is_empty());
}

fn user(data: &Path, stdin: &'static str, args: &[&str]) -> Ran {
    let data = data.to_str().unwrap();
    run_line(&Noted::default(), stdin, &[&["--data", data, "user"], args].concat())
}

#[test]
fn accounts_without_a_server() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path();
    let added = user(data, "secret\r\n", &["add", "Alice@localhost", "--password-stdin"]);
    assert_eq!((added.code, added.out, added.err), (SUCCESS, String::new(), String::new()));
    assert_eq!(user(data, "", &["add", "bob@localhost"]).code, SUCCESS);
    let again = user(data, "", &["add", "bob@localhost"]);
    assert_eq!(again.code, FAILURE);
    assert_eq!(again.err, "error: the account bob@localhost exists already\n");
    let empty = user(data, "\n", &["add", "carol@localhost", "--password-stdin"]);
    assert_eq!(empty.err, "error: no password on standard input\n");
    let elsewhere = user(data, "x\n", &["add", "carol@example.com", "--password-stdin"]);
    assert_eq!(
        elsewhere.err,
        "error: the host example.com is not in the config; the config has localhost\n"
    );
    assert_eq!(user(data, "", &["list"]).out, "alice@localhost\nbob@localhost\n");
    assert_eq!(user(data, "", &["list", "LocalHost"]).out, "alice@localhost\nbob@localhost\n");
    assert_eq!(user(data, "", &["list", "example.com"]).code, FAILURE);
    assert_eq!(user(data, "new\n", &["passwd", "bob@localhost", "--password-stdin"]).code, SUCCESS);
    assert_eq!(user(data, "", &["passwd", "dave@localhost"]).code, FAILURE);
    assert_eq!(user(data, "", &["remove", "bob@localhost"]).code, SUCCESS);
    let gone = user(data, "", &["remove", "bob@localhost"]);
    assert_eq!(gone.err, "error: there is no account bob@localhost\n");
    assert_eq!(user(data, "", &["list"]).out, "alice@localhost\n");
}

#[test]
fn an_import() {
    let folder = tempfile::tempdir().unwrap();
    let list = folder.path().join("list.csv");
    let data = folder.path().join("data");
    fs::write(&list, "a@localhost,p\nb@localhost,q\n").unwrap();
    let good = user(&data, "", &["import", list.to_str().unwrap()]);
    assert_eq!((good.code, good.out.as_str()), (SUCCESS, "2 accounts imported\n"), "{}", good.err);
    fs::write(&list, "a@localhost,p\nc@localhost,q\n").unwrap();
    let partly = user(&data, "", &["import", list.to_str().unwrap()]);
    assert_eq!((partly.code, partly.out.as_str()), (FAILURE, "1 account imported\n"));
    assert_eq!(partly.err, "line 1: the account a@localhost exists already\n");
    let missing = user(&data, "", &["import", "no/such.csv"]);
    assert_eq!(missing.code, FAILURE);
    assert!(missing.err.starts_with("error: cannot read no/such.csv: "), "{}", missing.err);
}

#[test]
fn nothing_secret_is_shown() {
    let jid = jid::BareJid::new("a@localhost").unwrap();
    let request = UserRequest::Add(jid, Zeroizing::new("hunter2".to_owned()));
    assert!(!format!("{request:?}").contains("hunter2"));
}
