use std::fs;
use std::path::Path;
use std::time::Duration;

use hickory_resolver::proto::rr::RecordType;
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    date_time_ymd,
};

use super::*;
use crate::s2s::tests::dns::Zone;

fn config(folder: &Path, text: &str) -> Config {
    Config::parse(&folder.join("spondee.toml"), text).unwrap()
}

fn shown(findings: &Findings) -> Vec<String> {
    findings.0.iter().map(|finding| finding.lines().trim_end().to_owned()).collect()
}

/// What is said of a.example, where these listen.
async fn dns_with(zone: Zone, more: &str, listen: &[(&str, u16)]) -> Vec<String> {
    let dns = zone.serve().await;
    let listen = listen.iter().map(|(kind, port)| {
        format!("[[listen]]\nkind = \"{kind}\"\naddress = \"127.0.0.1:{port}\"\n")
    });
    let text = format!(
        "{}[host.\"a.example\"]\n{more}\n[s2s]\ndns = \"{}\"",
        listen.collect::<String>(),
        dns.address
    );
    let mut findings = Findings::default();
    dns::check(&config(Path::new(""), &text), &mut findings).await;
    shown(&findings)
}

async fn dns(zone: Zone, listen: &[(&str, u16)]) -> Vec<String> {
    dns_with(zone, "", listen).await
}

#[tokio::test]
async fn the_usual_ports_need_an_address_alone() {
    let usual = [("c2s", 5222), ("s2s", 5269)];
    let found = dns(Zone::default().ip("a.example", "192.0.2.1"), &usual).await;
    assert_eq!(found, <[&str; 0]>::default());
    let found = dns(Zone::default(), &usual).await;
    let expected = "warning: a.example has no address in DNS\n  \
                    help: add the record a.example. 3600 IN A ADDRESS (or AAAA for IPv6)";
    assert_eq!(found, [expected]);
}

#[tokio::test]
async fn the_record_that_is_missing_is_given() {
    let listen = [("c2s", 15222), ("c2s-tls", 5223), ("s2s", 5269), ("s2s-tls", 5270)];
    let found = dns(Zone::default().ip("a.example", "2001:db8::1"), &listen).await;
    let expected = [
        "warning: _xmpp-client._tcp.a.example is missing: c2s is looked for on port 5222 then, \
         not on 15222\n  help: add the record _xmpp-client._tcp.a.example. 3600 IN SRV 0 5 15222 \
         a.example.",
        "_xmpps-client._tcp.a.example is missing: nobody finds c2s-tls on port 5223\n  help: add \
         the record _xmpps-client._tcp.a.example. 3600 IN SRV 0 5 5223 a.example.",
        "_xmpps-server._tcp.a.example is missing: nobody finds s2s-tls on port 5270\n  help: add \
         the record _xmpps-server._tcp.a.example. 3600 IN SRV 0 5 5270 a.example.",
    ];
    assert_eq!(found, expected);
}

#[tokio::test]
async fn records_must_lead_here() {
    let zone = || {
        Zone::default()
            .srv("_xmpp-client._tcp.a.example", "0 0 5222 one.a.example")
            .srv("_xmpp-client._tcp.a.example", "1 0 5222 two.a.example")
            .ip("one.a.example", "192.0.2.1")
    };
    let found = dns(zone().ip("two.a.example", "192.0.2.2"), &[("c2s", 5222)]).await;
    assert_eq!(found, <[&str; 0]>::default());
    let found = dns(zone(), &[("c2s", 5223)]).await;
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(found[0].contains("leads to two.a.example, which has no address"), "{found:?}");
    assert!(
        found[1].contains("leads to port 5222, 5222, but c2s is on port 5223 here"),
        "{found:?}"
    );
    let found = dns(zone(), &[("s2s-tls", 5270)]).await;
    assert!(found[0].contains("one.a.example:5222, but nothing here listens for c2s"), "{found:?}");
    let none = Zone::default().srv("_xmpp-client._tcp.a.example", "0 0 0 .");
    let found = dns(none, &[("c2s", 5222)]).await;
    assert!(found[0].contains("says that there is no such service\n  help: add"), "{found:?}");
}

#[tokio::test]
async fn components_are_for_servers_and_local_names_for_nobody() {
    let zone = Zone::default().ip("a.example", "192.0.2.1");
    let more = "[component.\"irc.a.example\"]\n[host.\"localhost\"]\n[host.\"10.0.0.1\"]";
    let found = dns_with(zone, more, &[("c2s", 5222), ("s2s", 5269)]).await;
    assert_eq!(found.len(), 2, "{found:?}");
    assert_eq!(found[0], "DNS knows nothing of 10.0.0.1, localhost: not looked at");
    assert!(found[1].starts_with("warning: irc.a.example has no address in DNS"), "{found:?}");
}

#[tokio::test]
async fn when_dns_fails_that_is_all_that_is_said() {
    let zone =
        Zone::default().failing("a.example", RecordType::A).failing("a.example", RecordType::AAAA);
    let found = dns(zone, &[("c2s", 5222)]).await;
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].starts_with("warning: no answer from DNS for a.example: "), "{found:?}");
    assert!(found[0].ends_with("help: see that DNS works here, or set dns in [s2s]"));
}

fn params() -> CertificateParams {
    let mut params = CertificateParams::new(vec!["a.example".to_owned()]).unwrap();
    params.not_before = date_time_ymd(2026, 1, 1);
    params.not_after = date_time_ymd(2027, 1, 1);
    params
}

/// A folder with this certificate and its key for a.example, from an authority in ca.pem.
struct Shown {
    folder: tempfile::TempDir,
    middle: String,
}

impl Shown {
    fn new(params: &CertificateParams) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let ca = |name: &str| {
            let mut ca = CertificateParams::new(Vec::new()).unwrap();
            ca.distinguished_name.push(rcgen::DnType::CommonName, name);
            ca.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
            ca
        };
        let key = || KeyPair::generate().unwrap();
        let root = CertifiedIssuer::self_signed(ca("root"), key()).unwrap();
        let middle = CertifiedIssuer::signed_by(ca("middle"), key(), &root).unwrap();
        let own = key();
        let leaf = params.signed_by(&own, &middle).unwrap();
        let shown = Self { middle: middle.pem(), folder };
        shown.write("ca.pem", &root.pem());
        shown.write("key.pem", &own.serialize_pem());
        shown.write("leaf.pem", &leaf.pem());
        shown.write("chain.pem", &format!("{}{}", leaf.pem(), shown.middle));
        shown.write("whole.pem", &format!("{}{}{}", leaf.pem(), shown.middle, root.pem()));
        shown.mode("key.pem", 0o600);
        shown
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.folder.path().join(name), text).unwrap();
    }

    fn mode(&self, name: &str, mode: u32) {
        use std::os::unix::fs::PermissionsExt;
        let path = self.folder.path().join(name);
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    }

    fn found_at(&self, certificate: &str, more: &str, now: u64) -> Vec<String> {
        let text = format!(
            "[host.\"a.example\"]\n[tls]\ncertificate = \"{certificate}\"\nkey = \"key.pem\"\n{more}"
        );
        let config = config(self.folder.path(), &text);
        let authorities = Authorities::load(&config.s2s).unwrap();
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(now);
        let mut findings = Findings::default();
        certificates::check(&config, Some(&authorities), now, &mut findings);
        shown(&findings)
    }

    fn found(&self, certificate: &str) -> Vec<String> {
        self.found_at(certificate, KNOWN, NOW)
    }
}

const KNOWN: &str = "[s2s]\nauthorities = \"ca.pem\"";
/// Within what [`params`] makes.
const NOW: u64 = 1_790_000_000;

fn only(found: Vec<String>, parts: &[&str]) {
    assert_eq!(found.len(), 1, "{found:#?}");
    for part in parts {
        assert!(found[0].contains(part), "{part:?}: {found:#?}");
    }
}

#[test]
fn certificates_are_for_their_hosts_and_lead_to_an_authority() {
    let shown = Shown::new(&params());
    assert_eq!(shown.found("chain.pem"), <[&str; 0]>::default());
    let other = "[component.\"irc.a.example\"]\n";
    let found = shown.found_at("chain.pem", &format!("{other}{KNOWN}"), NOW);
    only(found, &["error: ", "is not made out to irc.a.example\n", "[host.\"irc.a.example\".tls]"]);
    only(shown.found("leaf.pem"), &["warning: ", "does not lead to an authority", "fullchain.pem"]);
    let found = shown.found_at("whole.pem", "", NOW);
    only(found, &["warning: ", "comes from an authority that this machine does not know"]);
}

#[test]
fn certificates_end_and_begin() {
    let shown = Shown::new(&params());
    let at = |now| shown.found_at("chain.pem", KNOWN, now);
    let end = 1_798_761_600;
    assert_eq!(at(end - 15 * 24 * 3600), <[&str; 0]>::default());
    only(at(end - 13 * 24 * 3600), &["warning: ", "expires on 2027-01-01", "renew it"]);
    only(at(end + 1), &["error: ", "expired on 2027-01-01"]);
    only(at(1_760_000_000), &["error: ", "is not valid before Jan  1 00:00:00 2026", "clock"]);
}

#[test]
fn other_certificates_have_other_faults() {
    let mut client = params();
    client.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    only(Shown::new(&client).found("chain.pem"), &["error: ", "is for clients only"]);
    let shown = Shown::new(&params());
    let own = KeyPair::generate().unwrap();
    shown.write("self.pem", &params().self_signed(&own).unwrap().pem());
    only(shown.found("self.pem"), &["error: ", "key.pem cannot be used with the certificate"]);
    shown.write("key.pem", &own.serialize_pem());
    only(shown.found("self.pem"), &["warning: ", "is self-signed"]);
    for (mode, is_open) in [(0o640, false), (0o644, true), (0o660, true), (0o400, false)] {
        shown.mode("key.pem", mode);
        let found = shown.found("self.pem");
        let said = format!("is open to others (mode {mode:03o})");
        assert_eq!(found.iter().any(|line| line.contains(&said)), is_open, "{mode:o} {found:#?}");
    }
}

async fn storage_of(folder: &Path, data: &str) -> Vec<String> {
    let mut findings = Findings::default();
    storage::check(&config(folder, &format!("data = {data:?}")), &mut findings).await;
    shown(&findings)
}

#[tokio::test]
async fn storage_must_be_of_use() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    only(storage_of(at, "not/yet").await, &["not/yet (made at the start)"]);
    assert!(!at.join("not").exists());
    fs::write(at.join("file"), "").unwrap();
    only(storage_of(at, "file/data").await, &["error: ", "in the place of the data folder"]);
    let data = at.join("data");
    crate::storage::Database::sqlite(&data).await.unwrap().close().await;
    only(storage_of(at, "data").await, &["data: "]);
    fs::set_permissions(&data, fs::Permissions::from_mode(0o755)).unwrap();
    let found = storage_of(at, "data").await;
    assert!(found[1].contains("(mode 755)\n  help: chmod 700"), "{found:#?}");
    fs::set_permissions(&data, fs::Permissions::from_mode(0o700)).unwrap();
    let database = crate::storage::DATABASE_FILE;
    fs::write(
        data.join(database),
        "this is no database, and longer than a header of one ".repeat(9),
    )
    .unwrap();
    let found = storage_of(at, "data").await;
    assert!(found[1].starts_with("error: "), "{found:#?}");
}

#[tokio::test]
async fn ports_are_tried_against_each_other() {
    let folder = tempfile::tempdir().unwrap();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let (one, two) = (taken.local_addr().unwrap(), free.local_addr().unwrap().port());
    drop(free);
    let text = format!(
        "[[listen]]\nkind = \"c2s\"\naddress = \"{one}\"\n\
         [[listen]]\nkind = \"c2s\"\naddress = \"0.0.0.0:{two}\"\n\
         [[listen]]\nkind = \"c2s-tls\"\naddress = \"127.0.0.1:{two}\"\n"
    );
    let config = config(folder.path(), &text);
    let mut findings = Findings::default();
    ports::check(&config, false, &mut findings);
    let found = shown(&findings);
    assert_eq!(found.len(), 2, "{found:#?}");
    assert!(found[0].contains("stop what listens on port"), "{found:#?}");
    assert!(found[1].contains(&format!("0.0.0.0:{two} is in the way of")), "{found:#?}");
    let mut findings = Findings::default();
    ports::check(&config, true, &mut findings);
    only(shown(&findings), &["a server runs on this data folder"]);
}
