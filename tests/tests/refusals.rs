//! What the start refuses, `spondee check` reports, in the same words and all at once; what the
//! server runs with nevertheless, start and reload warn of.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::{
    fs,
    net::TcpListener,
    path::Path,
    process::{Command, Stdio},
    time::{Duration, Instant, SystemTime},
};

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, KeyPair, date_time_ymd};
use serde_json::Value;
use spondee_tests::{
    TIMEOUT,
    server::{Server, command},
};

/// Runs a command that must end by itself, and returns its exit code and its output.
fn run(command: &mut Command, folder: &Path) -> (i32, String, String) {
    let (out, err) = (folder.join("stdout"), folder.join("stderr"));
    let file = |path| Stdio::from(fs::File::create(path).unwrap());
    let mut process = command.stdout(file(&out)).stderr(file(&err)).spawn().unwrap();
    let deadline = Instant::now() + TIMEOUT;
    let code = loop {
        match process.try_wait().unwrap() {
            Some(status) => break status.code().unwrap(),
            None if Instant::now() < deadline => std::thread::yield_now(),
            None => {
                process.kill().unwrap();
                break -1;
            }
        }
    };
    (code, fs::read_to_string(out).unwrap(), fs::read_to_string(err).unwrap())
}

/// The errors of `spondee check`.
fn checked(folder: &Path) -> Vec<String> {
    let (code, out, err) = run(command(folder).args(["check", "--json"]), folder);
    assert_eq!((code, err.as_str()), (1, ""), "{out}");
    let found: Vec<Value> = serde_json::from_str(&out).unwrap();
    let errors = found.iter().filter(|finding| finding["level"] == "error");
    let text = |finding: &Value| {
        let help = finding["help"].as_str().map(|help| format!("\n  help: {help}"));
        format!("{}{}", finding["message"].as_str().unwrap(), help.unwrap_or_default())
    };
    errors.map(text).collect()
}

/// The errors of a start.
fn started(folder: &Path) -> Vec<String> {
    let (code, out, err) = run(&mut command(folder), folder);
    assert_eq!((code, out.as_str()), (1, ""), "{err}");
    // Log lines come first.
    let errors = err.strip_prefix("error: ").or_else(|| Some(err.split_once("\nerror: ")?.1));
    let errors = errors.unwrap_or_else(|| panic!("no error in {err}"));
    errors.trim_end().split("\nerror: ").map(str::to_owned).collect()
}

fn certificate(folder: &Path, name: &str, change: impl FnOnce(&mut CertificateParams)) -> KeyPair {
    let mut params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    change(&mut params);
    let key = KeyPair::generate().unwrap();
    fs::write(folder.join(name), params.self_signed(&key).unwrap().pem()).unwrap();
    key
}

const RUST: [&str; 14] = [
    "os error",
    "nonzero",
    "usize",
    "Some(",
    "None",
    "Err(",
    "KeyMismatch",
    "::",
    "struct",
    "variant",
    "InvalidCertificate",
    "BadEncoding",
    "panicked",
    "unwrap",
];

#[test]
fn the_start_and_check_refuse_the_same_in_the_same_words() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = taken.local_addr().unwrap();
    let tls = |key: &str| format!("[tls]\ncertificate = \"cert.pem\"\nkey = \"{key}\"");
    let port = |address: &str| format!("[[listen]]\nkind = \"c2s\"\naddress = \"{address}\"");
    let cases: [(String, &[&[&str]]); 21] = [
        (
            "threads = 0\ndat = \"x\"".into(),
            &[
                &["spondee.toml:2: threads: too small"],
                &["spondee.toml:3: unknown key \"dat\"", "\"data\"?"],
            ],
        ),
        (
            "[host.example.com]".into(),
            &[&["spondee.toml:2: host.example.com: ", "needs quotes", "[host.\"example.com\"]"]],
        ),
        ("[tls".into(), &[&["spondee.toml:2: not valid TOML"]]),
        (
            "[host.localhost]\nmodules = [\"+versoin\"]\n[host.localhost.module.ping]\nx = 1"
                .into(),
            &[
                &["spondee.toml:3: host.\"localhost\".modules: module \"versoin\"", "\"version\"?"],
                &["spondee.toml:5: unknown key \"x\""],
            ],
        ),
        (
            "[host.localhost]\nmodules = [\"+component\"]".into(),
            &[&["spondee.toml:2: module `component` did not start", "[component] with a secret"]],
        ),
        (tls("other.pem"), &[&["spondee.toml:2: ", "it is the key of another certificate"]]),
        (tls("encrypted.pem"), &[&["spondee.toml:2: ", "is encrypted", "openssl pkey"]]),
        (tls("cert.pem"), &[&["spondee.toml:2: ", "are certificate and key swapped?"]]),
        (tls("none.pem"), &[&["spondee.toml:2: cannot use ", "none.pem: No such file"]]),
        (tls("folder"), &[&["spondee.toml:2: cannot use ", "folder: Is a directory"]]),
        (
            tls("damaged.pem"),
            &[&["spondee.toml:2: ", "damaged.pem: the private key in the file is damaged"]],
        ),
        (
            "[s2s]\nauthorities = \"none.pem\"".into(),
            &[&[
                "spondee.toml:3: cannot use ",
                "none.pem: No such file",
                "set authorities in [s2s]",
            ]],
        ),
        (
            "[s2s]\nauthorities = \"cert.pem\"".into(),
            &[&[
                "spondee.toml:3: ",
                "cert.pem: the certificate of \"CN=",
                "is not an authority's",
                "help: leave it out; to trust a server's certificate for its own domain, pin it: \
                 [s2s.pins] \"localhost\" = [\"cert.pem\"]",
            ]],
        ),
        (
            "[s2s]\ncrls = [\"cert.pem\", \"none.pem\"]\n[s2s.pins]\n\"a.example\" = [\"b.pem\"]"
                .into(),
            &[
                &["spondee.toml:5: cannot use ", "b.pem: No such file", "a pin is a PEM file"],
                &["spondee.toml:3: ", "cert.pem: the file has no revocation list", "set crls in"],
                &["spondee.toml:3: cannot use ", "none.pem: No such file"],
            ],
        ),
        (
            "[s2s.pins]\na.b = [\"x\"]\n\"b.example\" = []\n\"c.example\" = [\"sha256:0\"]".into(),
            &[
                &["spondee.toml:3: s2s.pins.a.b: a domain needs quotes", "\"a.b\" = …"],
                &["spondee.toml:4: s2s.pins.\"b.example\": the list is empty"],
                &["spondee.toml:5: s2s.pins.\"c.example\": \"sha256:0\" is not a fingerprint"],
            ],
        ),
        (
            "[log]\nfile = \"none/x.log\"".into(),
            &[&[
                "spondee.toml:3: cannot open the log file ",
                "No such file",
                "help: make its folder",
            ]],
        ),
        (
            "data = \"cert.pem\"".into(),
            &[&[
                "spondee.toml:2: ",
                "cert.pem is in the place of the data folder",
                "help: set data to a folder",
            ]],
        ),
        (
            "data = \"damaged\"".into(),
            &[&["damaged/spondee.sqlite cannot be read", "help: restore a backup"]],
        ),
        (port(&taken.to_string()), &[&["spondee.toml:3: cannot listen on ", "stop what listens"]]),
        (port("192.0.2.1:5222"), &[&["spondee.toml:3: cannot listen on ", "no such address"]]),
        (
            format!("data = \"damaged\"\n{}\n{}", port(&taken.to_string()), tls("other.pem")),
            &[&["another certificate"], &["cannot be read"], &["stop what listens"]],
        ),
    ];
    for (text, expected) in cases {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path();
        let key = certificate(folder, "cert.pem", |_| {});
        certificate(folder, "other-cert.pem", |_| {});
        let other = KeyPair::generate().unwrap().serialize_pem();
        let encrypted = key.serialize_pem().replace("PRIVATE KEY", "ENCRYPTED PRIVATE KEY");
        let damaged = key.serialize_pem().replace("\nM", "\n!");
        fs::create_dir(folder.join("folder")).unwrap();
        for (name, content) in [("other", other), ("encrypted", encrypted), ("damaged", damaged)] {
            let path = folder.join(format!("{name}.pem"));
            fs::write(&path, content).unwrap();
            private(&path);
        }
        private(&folder.join("cert.pem"));
        fs::create_dir(folder.join("damaged")).unwrap();
        private(&folder.join("damaged"));
        fs::write(folder.join("damaged/spondee.sqlite"), "no database\n".repeat(1000)).unwrap();
        // Something else may have the ports of the defaults.
        let listen = if text.contains("[[listen]]") { "" } else { "listen = []\n" };
        let text = format!("{listen}{text}\n");
        fs::write(folder.join("spondee.toml"), &text).unwrap();
        let (said, refused) = (checked(folder), started(folder));
        assert_eq!(said, refused, "{text}");
        assert_eq!(said.len(), expected.len(), "{text}: {said:#?}");
        for (error, parts) in said.iter().zip(expected) {
            for part in *parts {
                assert!(error.contains(part), "{part:?} of {text}: {error}");
            }
            let word = RUST.iter().find(|word| error.replace("[::]", "").contains(**word));
            assert_eq!(word, None, "{text}: {error}");
        }
        // Modules start when all else is right.
        let is_made = text.contains("+component");
        assert_eq!(folder.join("data").exists(), is_made, "{text}");
    }
}

fn private(path: &Path) {
    use std::os::unix::fs::PermissionsExt;
    let mode = if path.is_dir() { 0o700 } else { 0o600 };
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

const LISTEN: &str = "[[listen]]\nkind = \"c2s\"\naddress = \"127.0.0.1:0\"\n\
                      [[listen]]\nkind = \"c2s-tls\"\naddress = \"127.0.0.1:0\"\n";

#[test]
fn start_and_reload_warn_of_certificates() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path().to_owned();
    let renew = |change: &dyn Fn(&mut CertificateParams)| {
        let key = certificate(&at, "cert.pem", |params| {
            params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
            change(params);
        });
        fs::write(at.join("key.pem"), key.serialize_pem()).unwrap();
        private(&at.join("key.pem"));
    };
    // It is not from an unknown authority.
    let trust = || fs::copy(at.join("cert.pem"), at.join("ca.pem")).unwrap();
    let text = format!(
        "{LISTEN}[host.localhost]\n[tls]\ncertificate = \"cert.pem\"\nkey = \"key.pem\"\n\
         [s2s]\nauthorities = \"ca.pem\"\n"
    );
    fs::write(at.join("spondee.toml"), text).unwrap();
    renew(&|params| params.not_after = date_time_ymd(2024, 3, 1));
    trust();
    let mut server = Server::run(folder);
    let line = server.wait_log(|line| line.contains("expired on 2024-03-01"));
    assert!(
        line.contains("spondee.toml:8: the certificate ") && line.contains("renew it"),
        "{line}"
    );

    let reload = |server: &Server| {
        let output = server.command().arg("reload").stdout(Stdio::piped()).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    let days = |days: u64| SystemTime::now() + Duration::from_secs(days * 24 * 3600);
    renew(&|params| {
        params.not_after = days(13).into();
        params.distinguished_name.push(DnType::CommonName, "another");
    });
    let said = reload(&server);
    assert!(said.contains("warning: ") && said.contains("cert.pem expires on "), "{said}");
    assert!(said.contains("\n  help: renew it"), "{said}");
    // Foreign: the authorities have another one.
    assert!(said.contains("is self-signed: clients and servers refuse it"), "{said}");
    assert!(said.contains("applied: host localhost: certificate changed"), "{said}");
    server.wait_log(|line| line.contains(" WARN ") && line.contains("cert.pem expires on "));
    trust();
    let said = reload(&server);
    assert!(!said.contains("self-signed") && said.contains("cert.pem expires on "), "{said}");
    assert!(said.contains("s2s: authorities, pins or crls changed, for new streams"), "{said}");
    assert!(!reload(&server).contains("s2s: "));
    renew(&|params| *params = CertificateParams::new(vec!["b.example".to_owned()]).unwrap());
    assert!(reload(&server).contains("is not made out to localhost"));
    renew(&|params| params.not_after = days(15).into());
    assert!(!reload(&server).contains("expires on"));
}

#[test]
fn a_server_without_a_port_for_clients_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let text = "[[listen]]\nkind = \"http\"\naddress = \"127.0.0.1:0\"\n";
    fs::write(folder.path().join("spondee.toml"), text).unwrap();
    let log = folder.path().join("log");
    let mut start = command(folder.path());
    let mut process = start.stderr(fs::File::create(&log).unwrap()).spawn().unwrap();
    let deadline = Instant::now() + TIMEOUT;
    let said = loop {
        let said = fs::read_to_string(&log).unwrap();
        if said.contains("List the handlers:") || Instant::now() > deadline {
            break said;
        }
        std::thread::yield_now();
    };
    process.kill().unwrap();
    process.wait().unwrap();
    assert!(said.contains("nothing listens for clients: nobody can log in to localhost"), "{said}");
    assert!(said.contains("List the handlers:") && !said.contains("port 0"), "{said}");
}

#[test]
fn the_configs_of_the_readme_have_a_port_for_clients() {
    let readme = concat!(env!("CARGO_MANIFEST_DIR"), "/../README.md");
    let readme = fs::read_to_string(readme).unwrap();
    let blocks = readme.split("```toml\n").skip(1).filter_map(|rest| rest.split("```").next());
    let mut count = 0;
    for block in blocks.filter(|block| block.contains("[[listen]]")) {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("spondee.toml"), block).unwrap();
        let (_, out, _) = run(command(folder.path()).arg("check"), folder.path());
        assert!(out.contains("hosts: localhost"), "{out}");
        assert!(!out.contains("nothing listens"), "{out}");
        count += 1;
    }
    assert_eq!(count, 1);
}
