use std::{
    fs,
    path::Path,
    sync::Arc,
    time::{Duration, SystemTime},
};

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    date_time_ymd,
};

use super::*;
use crate::{
    accounts::AccountStore,
    storage::{DATABASE_FILE, Database, Partition, Schema, Storage, StorageError, Write},
};

/// Comes after a module whose name is misspelt.
#[event_core::module(after = ["prob"])]
struct Late;

#[event_core::hook("server-started")]
fn never(_: &event_core::events::ServerStarted) {}

fn config(folder: &Path, text: &str) -> Config {
    Config::parse(&folder.join("spondee.toml"), text).unwrap()
}

fn shown(findings: &Findings) -> Vec<String> {
    findings.all.iter().map(|finding| finding.lines().trim_end().to_owned()).collect()
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
        certificates::load(&config, Some(&authorities), now, &mut findings);
        shown(&findings)
    }

    fn found(&self, certificate: &str) -> Vec<String> {
        self.found_at(certificate, KNOWN, NOW)
    }
}

const KNOWN: &str = "[s2s]\nauthorities = \"ca.pem\"";
/// A time at which the certificates of [`params`] are valid.
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
    storage::look(&config(folder, &format!("data = {data:?}")), &mut findings).await;
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
    Database::sqlite(&data).await.unwrap().close().await;
    only(storage_of(at, "data").await, &["data: "]);
    fs::set_permissions(&data, fs::Permissions::from_mode(0o755)).unwrap();
    let found = storage_of(at, "data").await;
    assert!(found[1].contains("(mode 755)\n  help: chmod 700"), "{found:#?}");
    fs::set_permissions(&data, fs::Permissions::from_mode(0o700)).unwrap();
    let database = DATABASE_FILE;
    fs::write(
        data.join(database),
        "this is no database, and longer than a header of one ".repeat(9),
    )
    .unwrap();
    let found = storage_of(at, "data").await;
    assert_eq!(found.len(), 2, "{found:#?}");
    let expected = format!("error: {} cannot be read: ", data.join(database).display());
    assert!(found[1].starts_with(&expected), "{found:#?}");
    assert!(found[1].contains("\n  help: restore a backup of it, or move it away"), "{found:#?}");
    // The commands that open it say the same, and at once.
    let begun = std::time::Instant::now();
    let error = Database::sqlite(&data).await.unwrap_err();
    assert!(found[1].starts_with(&format!("error: {error}")), "{error}");
    assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
}

#[tokio::test]
async fn a_database_without_tables_is_as_good_as_none() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let first = Database::sqlite(&data).await.unwrap();
    // As a crash between the first write and the tables leaves it.
    for table in ["schema", "stores", "map", "archive"] {
        let statement = sqlx::AssertSqlSafe(format!("DROP TABLE {table}"));
        sqlx::raw_sql(statement).execute(&mut *first.writing_connection().await).await.unwrap();
    }
    first.close().await;
    only(storage_of(folder.path(), "data").await, &["data: "]);
    Database::sqlite(&data).await.unwrap().close().await;
}

/// What the inspection finds for the module `probe` on the host a.example, and its result.
async fn inspected(config: &Config, modules: bool) -> (Findings, Option<Inspected>) {
    let bundle = event_core::Bundle { defaults: &["probe"], ..event_core::Bundle::new("spondee") };
    let registry = Registry::new(&[bundle]).unwrap();
    let mut findings = Findings::default();
    let inspected = inspect(config, &registry, Scope { ports: true, modules }, &mut findings).await;
    (findings, inspected)
}

#[tokio::test]
async fn data_of_a_newer_server_is_refused_without_a_start() {
    static NEWER: Schema = Schema {
        store: "accounts",
        version: 2,
        migrations: &[
            |row| if row.owner == "odd" { Err("it is odd".into()) } else { Ok(Some(row)) },
        ],
    };
    let folder = tempfile::tempdir().unwrap();
    let text = "[[listen]]\nkind = \"c2s\"\naddress = \"127.0.0.1:0\"\n[host.\"localhost\"]\n";
    let config = config(folder.path(), text);
    let database = Database::open(&config).await.unwrap();
    database.open(&NEWER).await.unwrap();
    database.close().await;
    let (findings, opened) = inspected(&config, true).await;
    assert!(opened.is_none());
    let found: Vec<String> =
        shown(&findings).into_iter().filter(|f| f.starts_with("error")).collect();
    only(
        found,
        &["the data in store \"accounts\" has version 2, and this server knows versions up to 1"],
    );
    // The start itself opens the stores.
    assert!(inspected(&config, false).await.1.is_some());
    let database = Arc::new(Database::open(&config).await.unwrap());
    assert!(AccountStore::open(database, 4096, 1).await.is_err());
}

#[tokio::test]
async fn migrations_are_tried_and_nothing_is_written() {
    static FIRST: Schema = Schema { store: "tried", version: 1, migrations: &[] };
    static SECOND: Schema = Schema {
        store: "tried",
        version: 2,
        migrations: &[|row| match row.value.as_slice() {
            b"odd" => Err("it is odd".into()),
            _ => Ok(Some(row)),
        }],
    };
    let folder = tempfile::tempdir().unwrap();
    let config = config(folder.path(), "");
    fn partition(owner: &str) -> Partition<'_> {
        Partition::new("localhost", FIRST.store, owner)
    }
    let write = async |owner: &str, value: &[u8]| {
        let database = Database::open(&config).await.unwrap();
        database.open(&FIRST).await.unwrap();
        database.write(vec![Write::set(partition(owner), "k", value.to_vec())]).await.unwrap();
        database.close().await;
    };
    let rehearse = async || {
        let refused = Database::rehearse(&config, &[SECOND]).await;
        refused.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    write("romeo", b"even").await;
    assert_eq!(rehearse().await, <[&str; 0]>::default());
    write("juliet", b"odd").await;
    let errors = rehearse().await;
    assert_eq!(errors.len(), 1, "{errors:?}");
    assert!(
        errors[0].contains("a value of \"juliet\" on localhost key \"k\": it is odd"),
        "{errors:?}"
    );
    let database = Database::open(&config).await.unwrap();
    assert!(matches!(database.open(&SECOND).await, Err(StorageError::Migration { .. })));
    database.open(&FIRST).await.unwrap();
    database.close().await;
}

#[tokio::test]
async fn everything_that_is_refused_is_told_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    fs::write(folder.path().join("data"), "").unwrap();
    let text = format!(
        "[[listen]]\nkind = \"c2s\"\naddress = \"{}\"\n[host.\"a.example\"]\nmodules = [\"late\"]\n\
         [s2s]\nauthorities = \"none.pem\"\n[tls]\ncertificate = \"no.pem\"\nkey = \"no.key\"\n\
         [log]\nfile = \"no/such.log\"\n",
        taken.local_addr().unwrap()
    );
    let (findings, inspected) = inspected(&config(folder.path(), &text), true).await;
    assert!(inspected.is_none());
    let found = shown(&findings);
    let errors: Vec<&String> = found.iter().filter(|line| line.starts_with("error: ")).collect();
    let expected = [
        "spondee.toml:4: host.\"a.example\".modules: module `late` must run after `prob`",
        "cannot open the log file ",
        "spondee.toml:8: cannot use ",
        "none.pem: No such file",
        "is in the place of the data folder",
        "spondee.toml:3: cannot listen on ",
    ];
    assert_eq!(errors.len(), expected.len(), "{found:#?}");
    for (error, expected) in errors.iter().zip(expected) {
        assert!(error.contains(expected), "{expected:?}: {found:#?}");
        assert!(!error.contains("os error"), "{found:#?}");
    }
    assert_eq!(findings.refusal().matches("\nerror: ").count(), expected.len() - 1);
}

#[tokio::test]
async fn a_config_without_a_port_for_clients_is_warned_of() {
    let folder = tempfile::tempdir().unwrap();
    let http = "[[listen]]\nkind = \"http\"\naddress = \"127.0.0.1:0\"\n";
    let of = async |text: &str| {
        let (findings, opened) = inspected(&config(folder.path(), text), false).await;
        assert!(opened.is_some(), "{findings:#?}");
        findings.warnings()
    };
    let found = of(http).await;
    only(found, &["nothing listens for clients: nobody can log in to localhost", "kind = \"c2s\""]);
    let found = of("listen = []").await;
    only(found, &["nothing listens for clients"]);
    let component = "[component.\"irc.localhost\"]\n";
    assert_eq!(of(&format!("{http}{component}")).await, <[&str; 0]>::default());
    let direct = "[[listen]]\nkind = \"c2s-tls\"\naddress = \"127.0.0.1:0\"\n";
    assert_eq!(of(&format!("{http}{direct}")).await, <[&str; 0]>::default());
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
    ports::open(&config, true, &mut findings);
    let found = shown(&findings);
    assert_eq!(found.len(), 2, "{found:#?}");
    assert!(found[0].contains("stop what listens on port"), "{found:#?}");
    assert!(found[1].contains(&format!("0.0.0.0:{two} is in the way of")), "{found:#?}");
    let mut findings = Findings::default();
    ports::open(&config, false, &mut findings);
    assert_eq!(shown(&findings), <[&str; 0]>::default());
}
