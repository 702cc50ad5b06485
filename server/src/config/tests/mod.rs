//! The text of each error, and the values of a valid config.

mod mistakes;

use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::*;

const SAMPLE: &str = r#"
data = "/var/lib/spondee"

[[listen]]
kind = "c2s"
address = "127.0.0.1:5222"

[[listen]]
kind = "s2s"

[tls]
certificate = "/etc/spondee/tls/fullchain.pem"
key = "tls/privkey.pem"

[host."Example.com"]
modules = ["+welcome", "-motd"]
admins = ["Alice@example.com"]
sasl = ["SCRAM-SHA-256", "SCRAM-SHA-1"]
allow_plaintext = false

[host."example.com".tls]
certificate = "own.pem"
key = "own.key"

[host."example.com".module.welcome]
text = "Hello"
api_token = "t0ken"

[component."irc.example.com"]
secret = "hunter2"

[s2s]
authorities = "ca.pem"
dialback = true
dns = "127.0.0.1:53"
[s2s.routes]
"other.example" = "127.0.0.1:5269"

[log]
format = "json"
level = "debug"

[limits]
stanza_bytes = 20_000
"#;

fn parse(text: &str) -> Result<Config, InvalidConfig> {
    Config::parse(Path::new("/etc/spondee/spondee.toml"), text)
}

fn error(text: &str) -> String {
    let error = Config::parse(Path::new("spondee.toml"), text).unwrap_err();
    error.to_string()
}

fn shown(errors: &[ConfigError]) -> Vec<String> {
    errors.iter().map(ToString::to_string).collect()
}

#[test]
fn every_key_is_optional() {
    let config = parse("").unwrap();
    let default = Config::default();
    assert_eq!(config.host.keys().collect::<Vec<_>>(), ["localhost"]);
    assert_eq!(config.listen, default.listen);
    let ports: Vec<_> = config.listen.iter().map(|l| (l.kind, l.address.port())).collect();
    assert_eq!(ports, [(ListenKind::C2s, 5222), (ListenKind::C2sTls, 5223)]);
    assert_eq!(config.listen[0].fallback(), Some("0.0.0.0:5222".parse().unwrap()));
    assert_eq!(config.data, PathBuf::from("/etc/spondee/data"));
    assert_eq!(default.data, PathBuf::from("data"));
    assert_eq!(Config::parse(Path::new("spondee.toml"), "").unwrap().data, default.data);
}

#[test]
fn what_is_listened_on_follows_from_the_hosts() {
    let ports = |text| {
        let listen = parse(text).unwrap().listen;
        listen.iter().map(|listen| listen.address.to_string()).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(ports("[host.\"a.example\"]"), "[::]:5222 [::]:5223 [::]:5269");
    assert_eq!(ports("[component.\"a.example\"]"), "[::]:5222 [::]:5223 [::]:5269");
    assert_eq!(
        ports("[component.\"a.example\"]\nsecret = \"s\""),
        "[::]:5222 [::]:5223 [::]:5269 127.0.0.1:5347"
    );
    assert_eq!(ports("listen = []\n[host.\"a.example\"]"), "");
}

#[test]
fn a_whole_file() {
    // A file may write a table in pieces, but must spell the domain alike in all of them.
    let config = parse(&SAMPLE.replace("Example.com", "example.com")).unwrap();
    let host = &config.host["example.com"];
    assert_eq!(host.admins[0].0.as_str(), "alice@example.com");
    assert_eq!(host.sasl.as_ref().unwrap()[1].name(), "SCRAM-SHA-1");
    assert_eq!(host.tls.as_ref().unwrap().key, PathBuf::from("/etc/spondee/own.key"));
    assert_eq!(host.place.as_ref().unwrap().line, 15);
    assert_eq!(host.modules.resolve(&["roster", "motd"]), ["roster", "welcome"]);
    assert_eq!(config.tls.as_ref().unwrap().key, PathBuf::from("/etc/spondee/tls/privkey.pem"));
    let secret = config.component["irc.example.com"].secret.as_ref().unwrap();
    assert_eq!(secret.expose(), "hunter2");
    assert_eq!(config.listen[1].address.port(), 5269);
    assert_eq!(config.s2s.routes["other.example"], "127.0.0.1:5269");
    assert_eq!((config.log.format, config.log.level), (LogFormat::Json, LogLevel::Debug));
    assert_eq!(config.limits.stanza_bytes, 20_000);
    assert_eq!(config.domains().collect::<Vec<_>>(), ["example.com", "irc.example.com"]);
    assert_eq!(parse(&SAMPLE.replace("Example.com", "example.com")).unwrap(), config);
}

#[test]
fn a_database_is_shown_without_its_password() {
    let url = "postgres://u:hunter2@db.example:6543/spondee";
    let config = parse(&format!("[storage]\nurl = \"{url}\"")).unwrap();
    let shown = config.to_table()["storage"]["url"].as_str().unwrap().to_owned();
    assert_eq!(shown, "postgres://db.example:6543/spondee");
    assert!(!format!("{config:?}").contains("hunter2"));
    assert_eq!(
        error("[storage]\nurl = \"mysql://u:hunter2@db\""),
        "spondee.toml:2: storage.url: expected postgres://user:password@host:port/database"
    );
    let port = error("[storage]\nurl = \"postgres://u:hunter2@db:port/x\"");
    assert_eq!(port, "spondee.toml:2: storage.url: not an address of a PostgreSQL database");
    let unknown = error("[storage]\nulr = \"postgres://u:hunter2@db\"");
    assert!(unknown.starts_with("spondee.toml:2: unknown key \"ulr\""), "{unknown}");
    assert!(!unknown.contains("hunter2"));
}

#[test]
fn no_secret_leaves() {
    let config = parse(&SAMPLE.replace("Example.com", "example.com")).unwrap();
    let table = config.to_table();
    assert_eq!(table["host"]["example.com"].get("module"), None, "any option may be a secret");
    assert_eq!(table["host"]["example.com"]["modules"][0].as_str(), Some("+welcome"));
    assert_eq!(table["listen"][0]["kind"].as_str(), Some("c2s"));
    for shown in [toml::to_string(&table).unwrap(), format!("{config:?}")] {
        assert!(!shown.contains("hunter2"), "{shown}");
        assert!(!shown.contains("t0ken"), "{shown}");
    }
    let wrong = error("[component.\"a.example\"]\nsecret = 31337");
    assert_eq!(wrong, "spondee.toml:2: component.\"a.example\".secret: expected a string");
}

#[test]
fn unknown_keys_name_the_nearest() {
    let cases = [
        ("dta = \"x\"", "spondee.toml:1: unknown key \"dta\"; did you mean \"data\"?"),
        (
            "\n[hosts.\"a.example\"]\n",
            "spondee.toml:2: unknown key \"hosts\"; did you mean \"host\"?",
        ),
        (
            "[host.\"a.example\"]\n\nmodulse = []",
            "spondee.toml:3: unknown key \"modulse\" in [host.\"a.example\"]; did you mean \
             \"modules\" or \"module\"?",
        ),
        (
            "[s2s]\nxyzzy = 1",
            "spondee.toml:2: unknown key \"xyzzy\" in [s2s]; valid here: authorities, pins, crls, \
             dialback, dns, private, routes, queue_stanzas, queue_bytes, idle_seconds",
        ),
        (
            "[[listen]]\nkind = \"c2s\"\nadress = \"[::]:1\"",
            "spondee.toml:3: unknown key \"adress\" in [listen]; did you mean \"address\"?",
        ),
        (
            "[limits]\nstanza_byte = 1",
            "spondee.toml:2: unknown key \"stanza_byte\" in [limits]; did you mean \
             \"stanza_bytes\"?",
        ),
    ];
    for (text, expected) in cases {
        assert_eq!(error(text), expected);
    }
}

#[test]
fn wrong_types_say_what_was_expected() {
    let cases = [
        ("data = 7", "spondee.toml:1: data: expected a string, found the number 7"),
        (
            "[limits]\nstanza_bytes = \"many\"",
            "spondee.toml:2: limits.stanza_bytes: expected a whole number, found the string \"many\"",
        ),
        ("[limits]\ndepth = -1", "spondee.toml:2: limits.depth: too small, the least is 8"),
        (
            "[limits]\nburst_seconds = 5_000_000_000",
            "spondee.toml:2: limits.burst_seconds: too large, the most is 4294967295",
        ),
        (
            "[host.\"a.example\"]\nallow_plaintext = \"yes\"",
            "spondee.toml:2: host.\"a.example\".allow_plaintext: expected true or false, found \
             the string \"yes\"",
        ),
        (
            "[host.\"a.example\"]\nmodules = \"welcome\"",
            "spondee.toml:2: host.\"a.example\".modules: expected a list of strings, found the \
             string \"welcome\"",
        ),
        (
            "[host.\"a.example\"]\nadmins = [\n  1,\n]",
            "spondee.toml:3: host.\"a.example\".admins: expected a string, found the number 1",
        ),
        ("host = 1", "spondee.toml:1: host: expected a table, found the number 1"),
        (
            "[host.\"a.example\".module]\nwelcome = 1",
            "spondee.toml:2: host.\"a.example\".module.welcome: expected a table, found the number 1",
        ),
        (
            "[[listen]]\nkind = \"c2c\"",
            "spondee.toml:2: listen.kind: unknown value \"c2c\", expected one of \"c2s\", \
             \"c2s-tls\", \"s2s\", \"s2s-tls\", \"component\", \"http\"",
        ),
        ("[[listen]]", "spondee.toml:1: the key \"kind\" is missing in [listen]"),
        ("[tls]\ncertificate = \"a.pem\"", "spondee.toml:1: the key \"key\" is missing in [tls]"),
    ];
    for (text, expected) in cases {
        assert_eq!(error(text), expected);
    }
}

#[test]
fn syntax_errors_have_a_line_and_show_no_text() {
    let message = error("[host.\"a.example\"]\nadmins = [\nsecret = \"hunter2\"");
    assert!(message.starts_with("spondee.toml:"), "{message}");
    assert!(message.contains("not valid TOML"), "{message}");
    assert!(!message.contains("hunter2"), "{message}");
    let twice = error("data = \"a\"\ndata = \"b\"");
    assert_eq!(twice, "spondee.toml:2: not valid TOML: duplicate key");
}

#[test]
fn values_that_make_no_sense() {
    let host = |rest: &str| format!("[host.\"a.example\"]\n{rest}");
    let cases = [
        (
            SAMPLE.to_owned(),
            "spondee.toml:21: host.\"example.com\": the domain example.com is in the file twice",
        ),
        (
            "[host.\"a.example\"]\n[component.\"A.example\"]".to_owned(),
            "spondee.toml:2: component.\"A.example\": the domain a.example is in the file twice",
        ),
        (
            host("admins = [\"alice\"]"),
            "spondee.toml:2: host.\"a.example\".admins: \"alice\" is not a bare JID (user@host)",
        ),
        (
            "[host.\"token.example\"]\nadmins = [\"alice\"]".to_owned(),
            "spondee.toml:2: host.\"token.example\".admins: \"alice\" is not a bare JID (user@host)",
        ),
        (
            host("sasl = [\"SCRAM-SHA1\"]"),
            "spondee.toml:2: host.\"a.example\".sasl: unknown mechanism \"SCRAM-SHA1\"; did you \
             mean \"SCRAM-SHA-1\"?",
        ),
        (
            host("sasl = []"),
            "spondee.toml:2: host.\"a.example\".sasl: the list is empty and nobody could log in; \
             leave the key out to offer all",
        ),
        (
            host("modules = [\"+a\",\n \"b\"]"),
            "spondee.toml:3: host.\"a.example\".modules: either every name has a + or a - (changes \
             to the defaults), or none has (the whole list)",
        ),
        (
            host("modules = [\"+a\", \"-a\"]"),
            "spondee.toml:2: host.\"a.example\".modules: \"a\" is listed twice",
        ),
        (
            host("modules = [\"Big Words\"]"),
            "spondee.toml:2: host.\"a.example\".modules: \"Big Words\" is not a module's name: \
             expected lower-case letters, digits and _, optionally after + or -",
        ),
        (
            "[[listen]]\nkind = \"c2s\"\naddress = \"5222\"".to_owned(),
            "spondee.toml:3: listen.address: \"5222\" is not an address and port, like \
             \"127.0.0.1:5222\" or \"[::]:5222\"",
        ),
        (
            "[[listen]]\nkind = \"c2s\"\n[[listen]]\nkind = \"s2s\"\naddress = \"[::]:5222\""
                .to_owned(),
            "spondee.toml:5: listen.address: line 2 has a listener on [::]:5222 already",
        ),
        (
            "[s2s.routes]\n\"b.example\" = \"localhost\"".to_owned(),
            "spondee.toml:2: s2s.routes.\"b.example\": \"localhost\" is not an address (name:port)",
        ),
        (
            "[limits]\ndepth = 0".to_owned(),
            "spondee.toml:2: limits.depth: too small, the least is 8",
        ),
        (
            "[component.\"a.example\"]\nsecret = \"\"".to_owned(),
            "spondee.toml:2: component.\"a.example\".secret: empty; choose a secret, or leave the \
             key out",
        ),
    ];
    for (text, expected) in cases {
        assert_eq!(error(&text), expected);
    }
    let domain = error("\n[host.\"a b\"]");
    assert!(domain.starts_with("spondee.toml:2: host.\"a b\": not a domain name"), "{domain}");
}

#[test]
fn a_file_that_is_not_there() {
    let missing = Config::load(Some(Path::new("no/such.toml"))).unwrap_err();
    assert!(missing.to_string().starts_with("cannot read the config file no/such.toml: "));
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Welcome {
    text: String,
    #[serde(default)]
    delay_seconds: u32,
}

fn welcome(options: &str) -> Result<Welcome, Vec<ConfigError>> {
    let text = format!("[host.\"a.example\".module.welcome]\n{options}");
    let config = Config::parse(Path::new("spondee.toml"), &text).unwrap();
    deserialize_options(&config.host["a.example"].module["welcome"])
}

#[test]
fn module_options_are_checked_by_the_module() {
    let options = welcome("text = \"Hello\"\ndelay_seconds = 3").unwrap();
    assert_eq!((options.text.as_str(), options.delay_seconds), ("Hello", 3));
    let cases = [
        (
            "txt = \"Hello\"",
            "spondee.toml:2: unknown key \"txt\" in [host.\"a.example\".module.welcome]; did you \
             mean \"text\"?",
        ),
        (
            "text = 1",
            "spondee.toml:2: host.\"a.example\".module.welcome.text: expected a string, found the \
             number 1",
        ),
        ("", "spondee.toml:1: the key \"text\" is missing in [host.\"a.example\".module.welcome]"),
    ];
    for (options, expected) in cases {
        assert_eq!(shown(&welcome(options).unwrap_err()), [expected]);
    }
    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Nothing {}
    deserialize_options::<Nothing>(&ModuleOptions::empty()).unwrap();
    let config = parse("[host.\"a.example\".module.x]\ny = 1").unwrap();
    let nothing = deserialize_options::<Nothing>(&config.host["a.example"].module["x"]);
    assert!(shown(&nothing.unwrap_err())[0].ends_with("; this table has no keys"));
}

#[test]
fn bounds_of_what_waits_for_other_servers() {
    let config =
        parse("[s2s]\nqueue_stanzas = 5\nqueue_bytes = 70000\nidle_seconds = 9\n").unwrap();
    let s2s = config.s2s;
    assert_eq!((s2s.queue_stanzas, s2s.queue_bytes, s2s.idle_seconds), (5, 70_000, 9));
    for (line, key) in
        [("queue_stanzas = 0", "s2s.queue_stanzas"), ("queue_bytes = 1", "s2s.queue_bytes")]
    {
        let error = parse(&format!("[s2s]\n{line}\n")).unwrap_err().to_string();
        assert!(error.contains(":2") && error.contains(key), "{error}");
    }
}
