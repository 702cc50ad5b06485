//! Reloads of the config: modules, hosts, certificates and limits change while clients stay
//! connected.
#![expect(clippy::unwrap_used, reason = "a test that cannot continue has failed")]

use std::{
    fs,
    io::{self, Write},
    net::TcpStream,
    process::{Command, Output, Stdio},
    sync::atomic::{AtomicBool, Ordering},
};

use spondee_tests::{
    client::{Connector, Tls, authenticate, login},
    raw::{Raw, header},
    server::{Server, Setup},
};

fn server(modules: &str) -> Server {
    let mut host = "allow_plaintext = true".to_owned();
    if !modules.is_empty() {
        host.push_str(&format!("\nmodules = [\"+recorder\"{modules}]"));
    }
    Server::with(&Setup { host, ..Setup::default() })
}

/// Replaces a part of the config, which must contain that part.
fn edit(server: &Server, from: &str, to: &str) {
    let config = fs::read_to_string(server.config()).unwrap();
    assert!(config.contains(from), "no {from:?} in {config}");
    fs::write(server.config(), config.replace(from, to)).unwrap();
}

fn append(server: &Server, text: &str) {
    let config = fs::read_to_string(server.config()).unwrap();
    fs::write(server.config(), format!("{config}\n{text}\n")).unwrap();
}

fn command(server: &Server) -> Command {
    let mut command = server.command();
    command.arg("reload").stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Runs `spondee reload`, which must succeed, and returns its output.
fn reloaded(server: &Server) -> Vec<String> {
    said(command(server).output())
}

fn said(output: io::Result<Output>) -> Vec<String> {
    let output = output.unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().lines().map(String::from).collect()
}

/// Runs `spondee reload`, which must fail, and returns its output.
fn refused(server: &Server) -> String {
    let output = command(server).output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{}", String::from_utf8_lossy(&output.stdout));
    String::from_utf8(output.stderr).unwrap()
}

fn has_feature(client: &mut Raw, feature: &str) -> bool {
    client.send(
        "<iq type='get' id='disco' to='localhost'>\
         <query xmlns='http://jabber.org/protocol/disco#info'/></iq>",
    );
    client.wait("</iq>").contains(&format!("'{feature}'"))
}

/// Logs in and returns what the server sends until the client is online.
fn greeting(client: &mut Raw) -> String {
    client.send("<presence type='unavailable'/><presence/>");
    client.send("<iq type='get' id='after' to='localhost'><ping xmlns='urn:xmpp:ping'/></iq>");
    client.wait("id='after'")
}

#[test]
fn modules_are_enabled_changed_and_disabled_while_clients_chat() {
    let server = server(", \"-version\", \"-motd\"");
    let mut romeo = Raw::login(&server, "romeo", "orchard");
    let mut juliet = Raw::login(&server, "juliet", "balcony");
    juliet.send("<presence/>");
    let mut nurse = Raw::login(&server, "nurse", "house");
    assert!(!has_feature(&mut nurse, "jabber:iq:version"));
    let is_over = AtomicBool::new(false);
    std::thread::scope(|threads| {
        let talk = threads.spawn(|| {
            let mut count = 0;
            while !is_over.load(Ordering::Relaxed) {
                count += 1;
                romeo.send(&format!(
                    "<message to='juliet@localhost/balcony' id='m{count}'><body>x</body></message>"
                ));
                // Each message arrives once and in order.
                let came = juliet.wait("</message>");
                assert_eq!(came.matches("<message").count(), 1, "{came}");
                assert!(came.contains(&format!("id='m{count}'")), "{came}");
            }
            count
        });
        edit(&server, ", \"-version\", \"-motd\"", ", \"-motd\"");
        assert_eq!(reloaded(&server), ["applied: host localhost: module version enabled"]);
        assert!(has_feature(&mut nurse, "jabber:iq:version"));

        edit(&server, ", \"-motd\"", "");
        append(&server, "[host.localhost.module.motd]\ntext = \"Be kind\"");
        assert_eq!(reloaded(&server), ["applied: host localhost: module motd enabled"]);
        assert!(greeting(&mut nurse).contains("Be kind"));
        edit(&server, "Be kind", "Be brave");
        assert_eq!(reloaded(&server), ["applied: host localhost: options of module motd changed"]);
        let greeting = greeting(&mut nurse);
        assert!(greeting.contains("Be brave") && !greeting.contains("Be kind"), "{greeting}");

        edit(&server, "\"+recorder\"", "\"+recorder\", \"-version\"");
        assert_eq!(reloaded(&server), ["applied: host localhost: module version disabled"]);
        assert!(!has_feature(&mut nurse, "jabber:iq:version"));
        assert_eq!(reloaded(&server), ["nothing changed"]);

        for turn in 0..10 {
            let (from, to) = if turn % 2 == 0 {
                ("\"-version\"", "\"-time\"")
            } else {
                ("\"-time\"", "\"-version\"")
            };
            edit(&server, from, to);
            assert_eq!(reloaded(&server).len(), 2);
        }
        is_over.store(true, Ordering::Relaxed);
        let count = talk.join().unwrap();
        assert!(count > 20, "only {count} messages arrived");
    });
}

#[tokio::test]
async fn hosts_are_added_and_removed() {
    let mut server = server("");
    let mut romeo = Raw::login(&server, "romeo", "orchard");
    romeo.send("<presence/>");
    append(&server, "[host.\"added.example\"]");
    assert_eq!(
        reloaded(&server),
        [
            "warning: added.example has no certificate: a self-signed one is used, which clients \
             refuse unless told to trust it",
            "  help: set certificate and key in [tls]",
            "applied: host added.example added",
        ]
    );
    let mut add = server.command();
    add.args(["user", "add", "anna@added.example", "--password-stdin"]).stdin(Stdio::piped());
    let mut add = add.spawn().unwrap();
    add.stdin.take().unwrap().write_all(b"anna\n").unwrap();
    assert!(add.wait().unwrap().success());

    let mut anna = login(&server, "anna@added.example").await;
    anna.available().await;
    romeo.send(&format!("<message to='{}' id='m1'><body>hello</body></message>", anna.jid));
    assert_eq!(anna.message().await.id.unwrap().0, "m1");

    // A stream that is not authenticated is closed too.
    let mut early = Raw::connect(&server);
    early.send(&header("added.example"));
    early.wait("</stream:features>");
    edit(&server, "[host.\"added.example\"]", "");
    let applied = reloaded(&server);
    assert_eq!(applied, ["applied: host added.example removed"]);
    assert!(early.wait_end().contains("<host-gone xmlns="));
    server.wait_log(|line| line.contains("reload: host added.example removed"));
    let mut late = Raw::connect(&server);
    late.send(&header("added.example"));
    assert!(late.wait_end().contains("<host-unknown xmlns="));
    romeo.send("<iq type='get' id='p' to='localhost'><ping xmlns='urn:xmpp:ping'/></iq>");
    romeo.wait("id='p'");
}

#[test]
fn an_invalid_config_changes_nothing() {
    let server = server(", \"-version\"");
    let mut romeo = Raw::login(&server, "romeo", "orchard");
    let good = fs::read_to_string(server.config()).unwrap();
    let good = good.replace(", \"-version\"", "");
    let folder = server.config().parent().unwrap().to_owned();
    let lines = good.lines().count();
    for (wrong, line, expected) in [
        ("[limit]\ndepth = 20", lines + 1, "limits"),
        ("[host.localhost.module.motd]\ntxt = \"x\"", lines + 2, "did you mean \"text\"?"),
        ("[host.\"b.example\"]\nmodules = [\"+mtod\"]", lines + 2, "motd"),
        ("[host.\"b.example\"]\n[log]\nlevel = 3", lines + 3, "level"),
    ] {
        fs::write(server.config(), format!("{good}{wrong}\n")).unwrap();
        let said = refused(&server);
        assert!(said.contains(&format!("spondee.toml:{line}: ")), "{said}");
        assert!(said.contains(expected), "{said}");
        assert!(!has_feature(&mut romeo, "jabber:iq:version"));
    }
    for (wrong, expected) in [
        (
            format!("[tls]\ncertificate = \"{0}/x.pem\"\nkey = \"{0}/x.key\"", folder.display()),
            "x.pem",
        ),
        (format!("[log]\nfile = \"{}/no/such.log\"", folder.display()), "such.log"),
        // The module fails to start, because its file is a folder.
        (
            format!(
                "[host.\"b.example\"]\nmodules = [\"recorder\"]\n\
                 [host.\"b.example\".module.recorder]\nfile = \"{}\"",
                folder.display()
            ),
            "module `recorder` did not start on `b.example`",
        ),
    ] {
        fs::write(server.config(), format!("{good}{wrong}\n")).unwrap();
        let said = refused(&server);
        assert!(said.contains(expected), "{said}");
        assert!(!has_feature(&mut romeo, "jabber:iq:version"), "after {expected}");
    }
    fs::write(server.config(), good).unwrap();
    assert_eq!(reloaded(&server), ["applied: host localhost: module version enabled"]);
}

#[test]
fn concurrent_reloads_run_one_after_the_other() {
    let server = server(", \"-version\"");
    let mut romeo = Raw::login(&server, "romeo", "orchard");
    edit(&server, ", \"-version\"", "");
    server.signal("HUP");
    let start = |_| command(&server).spawn().unwrap();
    let reloads: Vec<_> = (0..4).map(start).collect();
    let said: Vec<String> =
        reloads.into_iter().flat_map(|one| said(one.wait_with_output())).collect();
    let enabled = said.iter().filter(|line| line.ends_with("module version enabled")).count();
    assert!(enabled <= 1, "the module was enabled twice: {said:?}");
    assert_eq!(said.len(), 4);
    assert!(has_feature(&mut romeo, "jabber:iq:version"));
}

#[tokio::test]
async fn a_reload_reads_certificates_again() {
    let server = server("");
    let mut romeo = login(&server, "romeo@localhost").await;
    let old = Connector::new(&server, Tls::Start, false);
    fs::remove_file(server.data().join("self-signed.pem")).unwrap();
    assert_eq!(reloaded(&server), ["applied: host localhost: certificate changed"]);
    let new = Connector::new(&server, Tls::Direct, false);
    authenticate(&new, "juliet@localhost", "juliet", None).await.unwrap();
    assert!(authenticate(&old, "juliet@localhost", "juliet", None).await.is_err());
    romeo.available().await;
}

#[test]
fn a_reload_applies_settings_limits_and_the_log() {
    let server = server("");
    let mut romeo = Raw::login(&server, "romeo", "orchard");
    edit(&server, "allow_plaintext = true", "admins = [\"romeo@localhost\"]");
    let log = server.data().join("spondee.log");
    append(
        &server,
        &format!("[limits]\nconnections = 1\n[log]\nlevel = \"debug\"\nfile = {log:?}"),
    );
    assert_eq!(
        reloaded(&server),
        [
            "applied: host localhost: admins, allow_plaintext changed",
            "applied: limits changed, for new connections",
            "applied: log.level changed",
            "applied: log.file changed",
        ]
    );
    let mut refused = Raw::connect(&server);
    let end = refused.wait_end();
    assert!(end.contains("<resource-constraint"), "the second connection was not refused: {end}");
    edit(&server, "connections = 1", "connections = 10");
    // A reload also waits until the lines of the log are written.
    reloaded(&server);
    assert!(
        fs::read_to_string(&log).unwrap().contains("a connection is refused: the limit is reached")
    );
    let mut client = Raw::open(&server);
    client.send(&header("localhost"));
    romeo.send("<iq type='get' id='p' to='localhost'><ping xmlns='urn:xmpp:ping'/></iq>");
    romeo.wait("id='p'");
}

#[test]
fn each_reload_lists_the_changes_that_need_a_restart() {
    let server = server("");
    let address = server.c2s;
    edit(
        &server,
        "kind = \"c2s\"\naddress = \"127.0.0.1:0\"",
        "kind = \"c2s\"\naddress = \"127.0.0.2:0\"",
    );
    append(&server, "[limits]\nscram_iterations = 5000");
    for _ in 0..2 {
        assert_eq!(
            reloaded(&server),
            ["needs a restart: listen changed", "needs a restart: limits.scram_iterations changed"]
        );
    }
    TcpStream::connect(address).unwrap();
}

#[test]
fn a_reload_fails_without_a_running_server() {
    let mut server = server("");
    server.signal("TERM");
    assert!(server.wait().success());
    assert!(refused(&server).contains("no server runs on the data folder"));
}
