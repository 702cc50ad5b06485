//! `spondee check`, as an operator or a script runs it.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that cannot continue has failed"
)]

use std::{
    fs,
    net::{SocketAddr, TcpListener, UdpSocket},
    os::unix::fs::PermissionsExt,
    path::Path,
    process::Stdio,
};

use hickory_resolver::proto::{
    op::{Message, OpCode, ResponseCode},
    rr::{RData, Record, rdata::A},
};
use rcgen::{BasicConstraints, CertificateParams, IsCa, KeyPair, date_time_ymd};
use serde_json::Value;
use spondee_tests::server::{Server, binary};

/// The exit code and the output.
fn check(config: &Path, arguments: &[&str]) -> (i32, String) {
    let mut command = binary();
    command.arg("--config").arg(config).arg("check").args(arguments);
    let output = command.stdout(Stdio::piped()).stderr(Stdio::piped()).output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    let complaints = String::from_utf8(output.stderr).unwrap();
    assert_eq!(complaints, "", "{said}");
    (output.status.code().unwrap(), said)
}

struct Setup {
    folder: tempfile::TempDir,
    port: u16,
}

impl Setup {
    /// A certificate for a.example, and a port where nothing listens.
    fn new(params: impl FnOnce(&mut CertificateParams)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut made = CertificateParams::new(vec!["a.example".to_owned()]).unwrap();
        made.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params(&mut made);
        let key = KeyPair::generate().unwrap();
        fs::write(folder.path().join("cert.pem"), made.self_signed(&key).unwrap().pem()).unwrap();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let setup = Self { folder, port };
        setup.key(&key, 0o600);
        setup
    }

    fn key(&self, key: &KeyPair, mode: u32) {
        let path = self.folder.path().join("key.pem");
        fs::write(&path, key.serialize_pem()).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
    }

    /// Runs the check with a self-signed certificate that is trusted, so that only the test's own
    /// fault is found.
    fn check(&self, dns: SocketAddr, arguments: &[&str]) -> (i32, String) {
        let text = format!(
            "[[listen]]\nkind = \"c2s\"\naddress = \"127.0.0.1:{}\"\n[host.\"a.example\"]\n\
             [tls]\ncertificate = \"cert.pem\"\nkey = \"key.pem\"\n\
             [s2s]\ndns = \"{dns}\"\nauthorities = \"cert.pem\"\n",
            self.port
        );
        let config = self.folder.path().join("spondee.toml");
        fs::write(&config, text).unwrap();
        check(&config, arguments)
    }
}

/// A DNS server with addresses for a.example and no SRV records.
fn dns() -> SocketAddr {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let address = socket.local_addr().unwrap();
    // The thread ends with the process.
    std::thread::spawn(move || {
        let mut bytes = [0; 4096];
        loop {
            let (length, peer) = socket.recv_from(&mut bytes).unwrap();
            let question = Message::from_vec(&bytes[..length]).unwrap();
            let query = question.queries[0].clone();
            let mut answer = Message::response(question.id, OpCode::Query);
            if query.name().to_ascii().eq_ignore_ascii_case("a.example.") {
                let data = RData::A(A::new(192, 0, 2, 1));
                if query.query_type() == data.record_type() {
                    answer.add_answer(Record::from_rdata(query.name().clone(), 60, data));
                }
            } else {
                answer.metadata.response_code = ResponseCode::NXDomain;
            }
            answer.add_query(query);
            socket.send_to(&answer.to_vec().unwrap(), peer).unwrap();
        }
    });
    address
}

#[test]
fn a_missing_srv_record_is_a_warning() {
    let setup = Setup::new(|_| {});
    let (code, said) = setup.check(dns(), &[]);
    assert_eq!(code, 0, "{said}");
    assert!(said.ends_with("no error, 1 warning\n"), "{said}");
    let port = setup.port;
    let help = format!(
        "  help: add the record _xmpp-client._tcp.a.example. 3600 IN SRV 0 5 {port} a.example.\n"
    );
    assert!(said.contains(&help), "{said}");
    assert_eq!(said.matches("warning: ").count(), 1, "{said}");
    assert!(!setup.folder.path().join("data").exists());
}

#[test]
fn the_findings_are_available_as_json() {
    let setup = Setup::new(|_| {});
    let (code, said) = setup.check(dns(), &["--json"]);
    assert_eq!(code, 0, "{said}");
    let found: Vec<Value> = serde_json::from_str(&said).unwrap();
    for finding in &found {
        let keys: Vec<&String> = finding.as_object().unwrap().keys().collect();
        assert_eq!(keys, ["help", "level", "message", "subject"], "{said}");
    }
    let warnings: Vec<&Value> = found.iter().filter(|one| one["level"] == "warning").collect();
    assert_eq!(warnings.len(), 1, "{said}");
    assert_eq!(warnings[0]["subject"], "dns");
    assert!(warnings[0]["message"].as_str().unwrap().contains("_xmpp-client._tcp.a.example"));
    assert!(warnings[0]["help"].as_str().unwrap().starts_with("add the record "));
    assert!(found.iter().any(|one| one["level"] == "note" && one["help"].is_null()), "{said}");

    setup.key(&KeyPair::generate().unwrap(), 0o600);
    let (code, said) = setup.check(dns(), &["--json"]);
    let found: Vec<Value> = serde_json::from_str(&said).unwrap();
    let last = found.last().unwrap();
    assert_eq!(
        (code, &last["level"], &last["subject"]),
        (1, &"error".into(), &"certificates".into())
    );
}

#[test]
fn each_fault_of_a_certificate_is_an_error() {
    let error = |setup: &Setup, expected: &[&str]| {
        let (code, said) = setup.check(dns(), &[]);
        assert_eq!(code, 1, "{said}");
        assert!(!said.contains("nothing is wrong"), "{said}");
        let (_, error) = said.split_once("error: ").unwrap();
        for part in expected {
            assert!(error.contains(part), "{part:?}: {said}");
        }
    };
    let expired = Setup::new(|params| params.not_after = date_time_ymd(2024, 3, 1));
    error(
        &expired,
        &["spondee.toml:5: the certificate ", "cert.pem expired on 2024-03-01", "renew"],
    );
    let other = Setup::new(|params| {
        *params = CertificateParams::new(vec!["b.example".to_owned()]).unwrap();
    });
    error(&other, &["is not made out to a.example\n  help: ", "[host.\"a.example\".tls]"]);
    let pair = Setup::new(|_| {});
    pair.key(&KeyPair::generate().unwrap(), 0o600);
    error(&pair, &["key.pem cannot be used with the certificate "]);
    let open = Setup::new(|_| {});
    let key = open.folder.path().join("key.pem");
    fs::set_permissions(&key, fs::Permissions::from_mode(0o644)).unwrap();
    error(&open, &["key.pem is open to others (mode 644)\n  help: chmod "]);
}

#[test]
fn a_port_in_use_is_an_error() {
    let mut setup = Setup::new(|_| {});
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    setup.port = taken.local_addr().unwrap().port();
    let (code, said) = setup.check(dns(), &[]);
    assert_eq!(code, 1, "{said}");
    let expected =
        format!("error: {}:3: cannot listen on 127.0.0.1:{}", setup.config(), setup.port);
    assert!(said.contains(&expected), "{said}");
}

impl Setup {
    fn config(&self) -> String {
        self.folder.path().join("spondee.toml").display().to_string()
    }
}

#[test]
fn unreachable_dns_is_a_warning() {
    let setup = Setup::new(|_| {});
    // Bound, so that no other process answers there.
    let silent = UdpSocket::bind("127.0.0.1:0").unwrap();
    let (code, said) = setup.check(silent.local_addr().unwrap(), &[]);
    assert_eq!(code, 0, "{said}");
    assert!(said.contains("warning: no answer from DNS for a.example"), "{said}");
}

#[test]
fn a_running_server_is_not_disturbed() {
    let server = Server::start();
    let (code, said) = check(&server.config(), &[]);
    assert_eq!(code, 0, "{said}");
    assert!(said.contains("a server runs on this data folder: its ports are not tried"), "{said}");
    let output = server.command().args(["user", "list"]).stdout(Stdio::piped()).output().unwrap();
    assert!(String::from_utf8(output.stdout).unwrap().contains("romeo@localhost"));
}

#[test]
fn a_handler_that_never_runs_is_a_warning_and_marked_in_the_list() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("spondee.toml");
    let listen = "[[listen]]\nkind = \"http\"\naddress = \"127.0.0.1:0\"\n";
    let host = "[host.localhost]\nmodules = [\"-presence\"]\n";
    fs::write(&config, format!("{listen}{host}")).unwrap();
    let reason = "never runs: nothing fires presence/initial here; module presence does\n";

    let (code, said) = check(&config, &[]);
    assert_eq!(code, 0, "{said}");
    let warning = format!(
        "warning: localhost: motd::greet of module motd on presence/initial {reason}  help: enable \
         presence on localhost, or leave motd out\n"
    );
    assert!(said.contains(&warning), "{said}");

    let list = |arguments: &[&str]| {
        let mut command = binary();
        command.arg("--config").arg(&config).args(["hooks", "--module", "motd"]).args(arguments);
        String::from_utf8(command.stdout(Stdio::piped()).output().unwrap().stdout).unwrap()
    };
    let text = list(&[]);
    assert!(text.ends_with(&format!("\n    warning: {reason}")), "{text}");
    let json: Value = serde_json::from_str(&list(&["--json"])).unwrap();
    assert_eq!(json[0]["warning"], reason.trim_end());
}
