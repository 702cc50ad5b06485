//! All mistakes are reported, in the order of their lines and in the words of the file.

use super::*;

/// Every error of a file, without the file's name.
fn errors(text: &str) -> Vec<String> {
    let invalid = Config::parse(Path::new("s.toml"), text).unwrap_err();
    let shown = shown(&invalid.errors).into_iter();
    shown.map(|error| error.strip_prefix("s.toml:").unwrap().to_owned()).collect()
}

#[test]
fn all_mistakes_are_reported_in_the_order_of_their_lines() {
    let text = r#"
dta = "x"
threads = 0
[[listen]]
address = "5222"
[[listen]]
kind = "c2c"
address = "[::]:5222"
[[listen]]
kind = "c2s"
[[listen]]
kind = "c2s-tls"
address = "[::]:5222"
[tls]
[limits]
depth = 2
stanza_byte = 1
bytes_per_second = "many"
[component."b.example"]
secret = ""
[host."a.example"]
modules = ["+a", "b",
  "-a", 7, "+C"]
admins = ["alice", "bob@a.example",
  1]
sasl = []
[host."A.example"]
[host."a b"]
[s2s.routes]
"b.example" = "localhost"
[storage]
url = 7
[log]
level = 3
format = "xml"
"#;
    let expected = [
        "2: unknown key \"dta\"; did you mean \"data\"?",
        "3: threads: too small, the least is 1",
        "4: the key \"kind\" is missing in [listen]",
        "5: listen.address: \"5222\" is not an address and port, like \"127.0.0.1:5222\" or \
         \"[::]:5222\"",
        "7: listen.kind: unknown value \"c2c\", expected one of \"c2s\", \"c2s-tls\", \"s2s\", \
         \"s2s-tls\", \"component\", \"http\"",
        "13: listen.address: line 10 has a listener on [::]:5222 already",
        "14: the key \"certificate\" is missing in [tls]",
        "14: the key \"key\" is missing in [tls]",
        "16: limits.depth: too small, the least is 8",
        "17: unknown key \"stanza_byte\" in [limits]; did you mean \"stanza_bytes\"?",
        "18: limits.bytes_per_second: expected a whole number, found the string \"many\"",
        "20: component.\"b.example\".secret: empty; choose a secret, or leave the key out",
        "22: host.\"a.example\".modules: either every name has a + or a - (changes to the \
         defaults), or none has (the whole list)",
        "23: host.\"a.example\".modules: \"a\" is listed twice",
        "23: host.\"a.example\".modules: expected a string, found the number 7",
        "23: host.\"a.example\".modules: \"+C\" is not a module's name: expected lower-case \
         letters, digits and _, optionally after + or -",
        "24: host.\"a.example\".admins: \"alice\" is not a bare JID (user@host)",
        "25: host.\"a.example\".admins: expected a string, found the number 1",
        "26: host.\"a.example\".sasl: the list is empty and nobody could log in; leave the key out \
         to offer all",
        "27: host.\"A.example\": the domain a.example is in the file twice",
        "28: host.\"a b\": not a domain name: ",
        "30: s2s.routes.\"b.example\": \"localhost\" is not an address (name:port)",
        "32: storage.url: expected a string, found the number 7",
        "34: log.level: expected a string",
        "35: log.format: unknown value \"xml\", expected one of \"text\", \"json\"",
    ];
    let found = errors(text);
    assert_eq!(found.len(), expected.len(), "{found:#?}");
    for (found, expected) in found.iter().zip(expected) {
        assert!(found.starts_with(expected), "{found:?}: {expected:?}");
    }
}

#[test]
fn one_mistake_is_one_error() {
    assert_eq!(errors("[[listen]]\nkind = 1\n[[listen]]\nkind = 1").len(), 2);
    assert_eq!(errors("[[listen]]\n[[listen]]\n[[listen]]\nkind = \"c2s\"").len(), 2);
    assert_eq!(errors("[tls]\ncertificate = 1\nkey = \"k\"").len(), 1);
    assert_eq!(errors("[tls]\ncertificate = 1").len(), 2);
    assert_eq!(errors("[tls]\ncertficate = \"c\"\nkey = \"k\"").len(), 1);
    assert_eq!(errors("listen = 1\n[host]\n\"a.example\" = 1\n").len(), 2);
}

#[test]
fn a_domain_without_quotes_is_recognised() {
    let why = "a domain needs quotes, as its dots would make tables:";
    let cases = [
        ("[host.example.com]", "1: host.example.com", "[host.\"example.com\"]"),
        (
            "\n[host.a.example.com]\nmodules = []",
            "2: host.a.example.com",
            "[host.\"a.example.com\"]",
        ),
        ("[host.a.b.module.version]\nhide_os = true", "1: host.a.b", "[host.\"a.b\"]"),
        ("[host.a.b.tls]\nkey = \"k\"\n[host.a.b.module.c]", "1: host.a.b", "[host.\"a.b\"]"),
        ("[component.irc.a.b]\nsecret = \"s\"", "1: component.irc.a.b", "[component.\"irc.a.b\"]"),
        ("[s2s.routes]\na.b.c = \"d:5269\"", "2: s2s.routes.a.b.c", "\"a.b.c\" = …"),
        ("[s2s.pins]\na.b = [\"c.pem\"]", "2: s2s.pins.a.b", "\"a.b\" = …"),
    ];
    for (text, key, quoted) in cases {
        assert_eq!(errors(text), [format!("{key}: {why} {quoted}")], "{text}");
    }
    assert_eq!(errors("[host.a.b]\n[host.a.c]").len(), 2);
    assert!(errors("[host.a.tsl]\nkey = 1")[0].contains("did you mean \"tls\""));
    assert!(errors("[host.a]\ntsl = 1")[0].contains("did you mean \"tls\""));
}

/// Words of Rust and of serde, which no message may have.
const RUST: &[&str] = &[
    "usize",
    "u32",
    "u64",
    "i64",
    "nonzero",
    "Some(",
    "None",
    "struct",
    "map",
    "sequence",
    "integer",
    "invalid type",
    "variant",
    "field",
    "`",
    "::",
    "boolean",
    "untagged",
    "tuple",
    "unit",
    "Unit",
    "Wrapped",
    "Colour",
    "Either",
    "Option",
    "Ipv4",
    "SocketAddr",
    "char ",
    "a character",
    "u8",
    "f32",
    "f64",
    "enum",
];

#[test]
fn no_error_has_the_words_of_rust() {
    // Each key with each kind of value. Most of these values are wrong.
    let tables: [(&str, &[&str]); 9] = [
        ("", &["data", "threads", "listen", "tls", "host", "component", "s2s", "storage", "log"]),
        ("[[listen]]", &["kind", "address"]),
        ("[tls]", &["certificate", "key"]),
        (
            "[host.\"a.example\"]",
            &["modules", "admins", "sasl", "allow_plaintext", "tls", "module"],
        ),
        ("[component.\"a.example\"]", &["secret", "modules", "admins", "tls", "module"]),
        ("[s2s]", &["authorities", "pins", "crls", "dialback", "dns", "routes", "queue_stanzas"]),
        ("[storage]", &["url"]),
        ("[log]", &["format", "level", "file"]),
        ("[limits]", &["depth", "stop_seconds", "burst_seconds"]),
    ];
    let values =
        ["\"\"", "0", "-1", "99999999999999", "1.5", "true", "[]", "[1]", "{}", "{ a = 1 }"];
    let all = tables.iter().flat_map(|(table, keys)| keys.iter().map(move |key| (table, key)));
    for (table, key) in all {
        for value in values {
            let text = format!("{table}\n{key} = {value}\n");
            let Err(invalid) = parse(&text) else { continue };
            for error in shown(&invalid.errors) {
                let said = error.replace("[::]", "");
                let word = RUST.iter().find(|word| said.contains(**word));
                assert_eq!(word, None, "{text}: {error}");
            }
        }
    }
}

#[test]
fn no_kind_of_option_has_the_words_of_rust() {
    #[derive(Debug, Deserialize)]
    #[serde(untagged)]
    enum Either {
        #[allow(dead_code, reason = "only its errors are looked at")]
        Both { one: u8, two: u8 },
    }
    #[derive(Debug, Deserialize)]
    enum Colour {
        Red,
        #[allow(dead_code, reason = "only its errors are looked at")]
        Mixed {
            parts: u8,
        },
    }
    #[derive(Debug, Deserialize)]
    struct Unit;
    #[derive(Debug, Deserialize)]
    #[expect(dead_code, reason = "only its errors are looked at")]
    struct Wrapped(std::num::NonZeroUsize);
    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields, default)]
    #[derive(Default)]
    struct Options {
        either: Option<Either>,
        colour: Option<Colour>,
        blank: Option<Unit>,
        wrapped: Option<Wrapped>,
        letter: Option<char>,
        pair: Option<(u8, String)>,
        bytes: Option<[u8; 4]>,
        address: Option<std::net::IpAddr>,
        socket: Option<std::net::SocketAddr>,
        path: Option<PathBuf>,
        time: Option<std::time::Duration>,
        many: Option<std::collections::BTreeMap<u8, bool>>,
        nothing: Option<()>,
        float: Option<f32>,
    }
    let _ = Colour::Red;
    let keys = [
        "either", "colour", "blank", "wrapped", "letter", "pair", "bytes", "address", "socket",
        "path", "time", "many", "nothing", "float",
    ];
    let values = [
        "\"x\"",
        "0",
        "-1",
        "300",
        "1.5",
        "true",
        "[]",
        "[1, 2, 3]",
        "{}",
        "{ Red = 1 }",
        "{ Mixed = 1 }",
        "{ a = 1 }",
        "2020-01-01",
    ];
    let mut wrong = Vec::new();
    for (key, value) in keys.iter().flat_map(|key| values.map(|value| (key, value))) {
        let text = format!("[host.\"a.example\".module.many]\n{key} = {value}\n");
        let config = Config::parse(Path::new("s.toml"), &text).unwrap();
        let options = &config.host["a.example"].module["many"];
        let errors = deserialize_options::<Options>(options).err().unwrap_or_default();
        wrong.extend(shown(&errors).into_iter().filter_map(|said| {
            let word = RUST.iter().find(|word| said.contains(**word))?;
            Some(format!("{word:?} in {said:?} for {value}"))
        }));
    }
    assert_eq!(wrong, [""; 0]);
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "the test looks at the errors only")]
struct Many {
    name: String,
    count: std::num::NonZeroU16,
    ratio: f64,
    names: Vec<String>,
    delta: i8,
}

#[test]
fn all_mistakes_of_a_modules_options_are_reported() {
    let text = "[host.\"a.example\".module.many]\ncuont = 1\nname = 1\ncount = 0\nnames = [1]\n\
                delta = 300\n";
    let config = Config::parse(Path::new("s.toml"), text).unwrap();
    let options = &config.host["a.example"].module["many"];
    let expected = |errors: Vec<ConfigError>| {
        let mut errors = errors;
        in_order(&mut errors);
        let at = "host.\"a.example\".module.many";
        let expected = [
            format!("s.toml:2: unknown key \"cuont\" in [{at}]; did you mean \"count\"?"),
            format!("s.toml:3: {at}.name: expected a string, found the number 1"),
            format!(
                "s.toml:4: {at}.count: expected a whole number from 1 to 65535, found the number 0"
            ),
            format!("s.toml:5: {at}.names: expected a string, found the number 1"),
            format!(
                "s.toml:6: {at}.delta: expected a whole number from -128 to 127, found the number 300"
            ),
        ];
        assert_eq!(shown(&errors), expected);
    };
    expected(deserialize_options::<Many>(options).unwrap_err());
    // The registry reads without spans, and its errors do not have the path of an item.
    expected(options.check(|table| table.clone().try_into::<Many>().map(drop)).unwrap_err());
    let missing = deserialize_options::<Many>(&ModuleOptions::empty()).unwrap_err();
    assert_eq!(shown(&missing)[0], "(defaults):1: the key \"name\" is missing");
    assert!(missing.len() > 1, "{missing:?}");
}
