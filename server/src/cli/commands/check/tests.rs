use std::path::Path;

use hickory_resolver::proto::rr::RecordType;

use super::*;
use crate::s2s::tests::dns::Zone;

fn config(folder: &Path, text: &str) -> Config {
    Config::parse(&folder.join("spondee.toml"), text).unwrap()
}

fn shown(findings: &Findings) -> Vec<String> {
    findings.all.iter().map(|finding| finding.lines().trim_end().to_owned()).collect()
}

/// The findings about DNS for a.example with these listeners.
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
