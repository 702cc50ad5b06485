use std::time::Duration;

use event_core::Condition;
use hickory_resolver::proto::rr::RecordType;
use proptest::prelude::*;

use super::dns::Zone;
use crate::config::S2s;
use crate::s2s::connect::ConnectError;
use crate::s2s::resolve::{ResolveError, Resolver, Service, Target, in_order};

const STARTTLS: &str = "_xmpp-server._tcp.a.example";
const DIRECT: &str = "_xmpps-server._tcp.a.example";

fn shown(targets: &[Target]) -> Vec<String> {
    let show = |target: &Target| {
        let tls = if target.is_direct_tls { " tls" } else { "" };
        format!("{}:{}{tls}", target.name, target.port)
    };
    targets.iter().map(show).collect()
}

async fn targets(zone: Zone) -> Result<Vec<String>, ResolveError> {
    zone.serve().await.resolver().targets("a.example").await.map(|found| shown(&found))
}

fn condition(error: &ResolveError) -> Condition {
    ConnectError::from(error.clone()).told("a.example").condition()
}

#[tokio::test]
async fn both_services_are_mixed_by_priority() {
    let zone = Zone::default()
        .srv(STARTTLS, "20 0 5269 three.a.example")
        .srv(STARTTLS, "5 0 5269 one.a.example")
        .srv(DIRECT, "10 0 5270 two.a.example")
        .srv(DIRECT, "30 0 443 four.a.example");
    let expected = [
        "one.a.example:5269",
        "two.a.example:5270 tls",
        "three.a.example:5269",
        "four.a.example:443 tls",
    ];
    assert_eq!(targets(zone).await.unwrap(), expected);
}

#[tokio::test]
async fn a_dot_means_that_it_is_not_offered() {
    let none = Zone::default().srv(STARTTLS, "0 0 0 .").ip("a.example", "192.0.2.1");
    let error = targets(none).await.unwrap_err();
    assert!(matches!(error, ResolveError::NotOffered(_)), "{error}");
    assert_eq!(condition(&error), Condition::RemoteServerNotFound);
    let direct = Zone::default().srv(STARTTLS, "0 0 0 .").srv(DIRECT, "0 0 443 b.example");
    assert_eq!(targets(direct).await.unwrap(), ["b.example:443 tls"]);
    let starttls = Zone::default().srv(DIRECT, "0 0 0 .").srv(STARTTLS, "0 0 1 b.example");
    assert_eq!(targets(starttls).await.unwrap(), ["b.example:1"]);
    // A `.` for direct TLS says nothing about STARTTLS.
    let silent = Zone::default().srv(DIRECT, "0 0 0 .").ip("a.example", "192.0.2.1");
    assert_eq!(targets(silent).await.unwrap(), ["a.example:5269"]);
}

#[tokio::test]
async fn without_srv_records_it_is_the_domain_itself() {
    let dns = Zone::default()
        .ip("xn--bcher-kva.example", "192.0.2.1")
        .ip("xn--bcher-kva.example", "2001:db8::1")
        .ip("xn--bcher-kva.example", "192.0.2.2")
        .serve()
        .await;
    let resolver = dns.resolver();
    let found = resolver.targets("bücher.example").await.unwrap();
    assert_eq!(shown(&found), ["xn--bcher-kva.example:5269"]);
    let addresses = resolver.addresses(&found[0]).await.unwrap();
    let addresses: Vec<String> = addresses.iter().map(ToString::to_string).collect();
    assert_eq!(addresses, ["[2001:db8::1]:5269", "192.0.2.1:5269", "192.0.2.2:5269"]);
    for (domain, target) in [("192.0.2.1", "192.0.2.1:5269"), ("[2001:db8::1]", "2001:db8::1:5269")]
    {
        assert_eq!(shown(&resolver.targets(domain).await.unwrap()), [target]);
    }
}

#[tokio::test]
async fn not_there_and_not_answered_are_told_apart() {
    let dns = Zone::default()
        .failing("_xmpp-server._tcp.broken.example", RecordType::SRV)
        .failing("_xmpp-server._tcp.half.example", RecordType::SRV)
        .srv("_xmpps-server._tcp.half.example", "0 0 443 half.example")
        .silent("mute.example", RecordType::A)
        .silent("mute.example", RecordType::AAAA)
        .silent("one.example", RecordType::AAAA)
        .ip("one.example", "192.0.2.1")
        .serve()
        .await;
    let resolver = dns.resolver().with_timeout(Duration::from_millis(300));
    let of = |name: &str| Target::new(name, 1);
    let nowhere = resolver.addresses(&of("nowhere.example")).await.unwrap_err();
    assert!(matches!(nowhere, ResolveError::NotFound(_)), "{nowhere}");
    assert_eq!(condition(&nowhere), Condition::RemoteServerNotFound);
    let broken = resolver.targets("broken.example").await.unwrap_err();
    assert_eq!(condition(&broken), Condition::RemoteServerTimeout, "{broken}");
    assert_eq!(shown(&resolver.targets("half.example").await.unwrap()), ["half.example:443 tls"]);
    let mute = resolver.addresses(&of("mute.example")).await.unwrap_err();
    assert_eq!(condition(&mute), Condition::RemoteServerTimeout, "{mute}");
    let one = resolver.addresses(&of("one.example")).await.unwrap();
    assert_eq!(one, ["192.0.2.1:1".parse().unwrap()]);
}

#[tokio::test]
async fn what_is_too_much_is_left_out() {
    let mut zone = Zone::default();
    for number in 0..40 {
        zone = zone.srv(STARTTLS, &format!("{number} 0 5269 t{number}.a.example"));
        zone = zone.ip("many.example", &format!("192.0.2.{number}"));
    }
    let dns = zone.serve().await;
    let found = dns.resolver().targets("a.example").await.unwrap();
    assert_eq!(found.len(), 16);
    assert_eq!(&*found[15].name, "t15.a.example");
    let many = Target::new("many.example", 1);
    assert_eq!(dns.resolver().addresses(&many).await.unwrap().len(), 8);
}

#[tokio::test]
async fn addresses_of_the_local_network_are_left_out() {
    let dns = Zone::default()
        .ip("local.example", "127.0.0.1")
        .ip("local.example", "::ffff:10.0.0.1")
        .ip("both.example", "fd00::1")
        .ip("both.example", "8.8.8.8")
        .srv("_xmpp-server._tcp.a.example", "0 0 5269 10.0.0.1")
        .serve()
        .await;
    let routes = [("r.example".to_owned(), "local.example:1".to_owned())].into();
    let config = S2s { private: false, routes, ..dns.config() };
    let resolver = Resolver::new(&config);
    let of = async |domain| {
        let target = resolver.targets(domain).await.unwrap().remove(0);
        resolver.addresses(&target).await.map(|found| found.len())
    };
    for domain in ["local.example", "127.0.0.1", "[::1]", "169.254.169.254", "a.example"] {
        let error = of(domain).await.unwrap_err();
        assert!(matches!(error, ResolveError::NotPublic(_)), "{domain}: {error}");
    }
    assert_eq!(of("both.example").await.unwrap(), 1);
    assert_eq!(of("r.example").await.unwrap(), 2);
    let allowed = Resolver::new(&dns.config());
    let target = allowed.targets("127.0.0.1").await.unwrap().remove(0);
    assert_eq!(allowed.addresses(&target).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_route_needs_no_dns() {
    let routes =
        [("a.example", "127.0.0.1:1"), ("b.example", "[::1]:2"), ("c.example", "d.example:3")];
    let routes = routes.map(|(domain, at)| (domain.to_owned(), at.to_owned())).into();
    let resolver = Resolver::new(&S2s { routes, ..S2s::default() });
    let of = async |domain| shown(&resolver.targets(domain).await.unwrap());
    assert_eq!(of("a.example").await, ["127.0.0.1:1"]);
    assert_eq!(of("b.example").await, ["::1:2"]);
    assert_eq!(of("c.example").await, ["d.example:3"]);
    let target = &resolver.targets("b.example").await.unwrap()[0];
    assert_eq!(resolver.addresses(target).await.unwrap(), ["[::1]:2".parse().unwrap()]);
}

fn service(priority: u16, weight: u16) -> Service {
    let target = Target::new(&format!("{priority}/{weight}"), 1);
    Service { priority, weight, target }
}

#[test]
fn the_weight_is_the_chance() {
    // The weight of the first service, for each number that can be drawn.
    let first = |chosen| {
        in_order(vec![service(0, 3), service(0, 0), service(0, 1)], |most| {
            assert!(most <= 4);
            chosen
        })
        .remove(0)
        .weight
    };
    let firsts: Vec<u16> = (0..=4).map(first).collect();
    assert_eq!(firsts, [0, 3, 3, 3, 1]);
}

proptest! {
    #[test]
    fn an_order_keeps_all_and_respects_priorities(
        records in prop::collection::vec((0u16..4, any::<u16>()), 0..20),
        seed in any::<u32>(),
    ) {
        let services: Vec<Service> = records.iter().map(|(p, w)| service(*p, *w)).collect();
        let mut seed = u64::from(seed);
        let ordered = in_order(services.clone(), |most| {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            u32::try_from((seed >> 33) % (u64::from(most) + 1)).unwrap()
        });
        prop_assert!(ordered.is_sorted_by_key(|service| service.priority));
        let names = |all: &[Service]| {
            let mut names: Vec<_> = all.iter().map(|s| s.target.name.clone()).collect();
            names.sort();
            names
        };
        prop_assert_eq!(names(&ordered), names(&services));
    }
}
