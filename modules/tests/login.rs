//! The login of a client, from its first stream to its full JID.

#![expect(clippy::unwrap_used, reason = "a test")]

use std::{
    net::IpAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

use event_core::{
    BoxFuture, HostConfig, HostSettings, Registry, Runtime, SessionKind, Stream,
    jid::BareJid,
    prelude::*,
    services::{Accounts, ScramHash, ScramKeys},
    storage::{Memory, StorageError, StorageResult},
    xml::{NamespaceScope, XmlLimits},
};

/// Has the account `alice` with the password `secret`. Has no SCRAM keys.
#[derive(Default)]
struct OnlyAlice {
    /// How often the generation was asked for.
    looks: AtomicU64,
    /// The number of looks after which the account changes; zero if it does not change.
    changes_after: AtomicU64,
    lookups: AtomicU64,
}

impl Accounts for OnlyAlice {
    fn exists<'a>(&'a self, account: &'a BareJid) -> BoxFuture<'a, StorageResult<bool>> {
        self.lookups.fetch_add(1, Ordering::Relaxed);
        let is_alice = account.node().is_some_and(|node| node.as_str() == "alice");
        Box::pin(async move { Ok(is_alice) })
    }

    fn generation(&self, _: &BareJid) -> Option<u64> {
        let looks = self.looks.fetch_add(1, Ordering::Relaxed);
        let changes_after = self.changes_after.load(Ordering::Relaxed);
        Some(u64::from(changes_after > 0 && looks >= changes_after))
    }

    fn credentials<'a>(
        &'a self,
        _: &'a str,
        _: &'a str,
        _: ScramHash,
    ) -> BoxFuture<'a, StorageResult<ScramKeys>> {
        Box::pin(async { Err(StorageError::Closed) })
    }

    fn verify<'a>(
        &'a self,
        _: &'a str,
        username: &'a str,
        password: &'a str,
    ) -> BoxFuture<'a, StorageResult<bool>> {
        Box::pin(async move { Ok((username, password) == ("alice", "secret")) })
    }
}

/// A client's stream that records writes and calls.
#[derive(Clone, Debug, Default)]
struct Wire(Arc<(AtomicBool, Mutex<String>)>);

impl Wire {
    fn record(&self, what: &str) {
        self.0.1.lock().unwrap().push_str(what);
    }
}

impl Stream for Wire {
    fn write(&self, bytes: &[u8]) -> bool {
        self.record(std::str::from_utf8(bytes).unwrap());
        true
    }

    fn is_encrypted(&self) -> bool {
        self.0.0.load(Ordering::Relaxed)
    }

    fn can_start_tls(&self) -> bool {
        !self.is_encrypted()
    }

    fn start_tls(&self) {
        self.record("[tls]");
        self.0.0.store(true, Ordering::Relaxed);
    }

    fn tls_exporter(&self) -> Option<Vec<u8>> {
        self.is_encrypted().then(|| vec![7; 32])
    }

    fn restart(&self) {
        self.record("[restart]");
    }

    fn close(&self, error: Option<StreamError>) {
        self.record(&format!("[close {error:?}]"));
    }

    fn peer(&self) -> Option<IpAddr> {
        None
    }

    fn peer_certificates(&self) -> Vec<Vec<u8>> {
        Vec::new()
    }

    fn flushed(&self) -> BoxFuture<'_, bool> {
        Box::pin(std::future::ready(true))
    }
}

struct Client {
    runtime: Arc<Runtime>,
    accounts: Arc<OnlyAlice>,
    session: Session,
    wire: Wire,
}

impl Client {
    async fn new(settings: HostSettings) -> Self {
        let modules = ["starttls", "saslauth", "bind", "session"];
        let modules = modules.map(|name| (name.to_owned(), Default::default())).into();
        let host = HostConfig { name: "example.com".into(), modules, settings };
        let registry = Registry::new(&[spondee_modules::BUNDLE]).unwrap();
        let accounts = Arc::new(OnlyAlice::default());
        let prepare = |host: &HostContext| host.provide::<dyn Accounts>(accounts.clone());
        let runtime =
            Runtime::start(registry, vec![host], Arc::new(Memory::new()), prepare).await.unwrap();
        let wire = Wire::default();
        let host = runtime.core().host("example.com").unwrap();
        let session = Session::new(SessionKind::Client, host, Arc::new(wire.clone()));
        Self { runtime, accounts, session, wire }
    }

    async fn encrypted() -> Self {
        let client = Self::new(HostSettings::default()).await;
        client.wire.start_tls();
        client.wire.0.1.lock().unwrap().clear();
        client
    }

    async fn features(&self) -> String {
        let event = StreamFeatures { session: self.session.clone(), features: Vec::new() };
        let fired = self.runtime.core().turn(&self.session).fire(event).await;
        fired.event.features.iter().map(ToString::to_string).collect()
    }

    /// Sends an element and returns what the server wrote.
    async fn send(&self, xml: &str) -> String {
        let element =
            Element::parse(xml.as_bytes(), &NamespaceScope::default(), &XmlLimits::default())
                .unwrap();
        if let Err(error) = self.runtime.core().turn(&self.session).receive(element).await {
            self.wire.record(&format!("[error {}]", error.condition().as_str()));
        }
        std::mem::take(&mut *self.wire.0.1.lock().unwrap())
    }

    async fn sasl(&self, name: &str, text: &str) -> String {
        let xml = format!("<{name} xmlns='urn:ietf:params:xml:ns:xmpp-sasl' {text}</{name}>");
        self.send(&xml).await
    }

    async fn authenticate(&self) {
        let answer = self.sasl("auth", "mechanism='PLAIN'>AGFsaWNlAHNlY3JldA==").await;
        assert_eq!(answer, "<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>[restart]");
    }
}

#[tokio::test]
async fn starttls_and_then_mechanisms() {
    let client = Client::new(HostSettings::default()).await;
    assert_eq!(
        client.features().await,
        "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'><required/></starttls>"
    );
    let early = client.sasl("auth", "mechanism='PLAIN'>AGFsaWNlAHNlY3JldA==").await;
    assert!(early.contains("<encryption-required/>"), "{early}");
    let start = "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>";
    let proceed = "<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>[tls]";
    assert_eq!(client.send(start).await, proceed);
    let features = client.features().await;
    assert!(features.starts_with("<mechanisms "), "{features}");
    assert!(features.contains("<mechanism>SCRAM-SHA-256-PLUS</mechanism>"), "{features}");
    let binding = "<sasl-channel-binding xmlns='urn:xmpp:sasl-cb:0'>\
                   <channel-binding type='tls-exporter'/></sasl-channel-binding>";
    assert!(features.ends_with(binding), "{features}");
    let again = client.send(start).await;
    assert_eq!(again, "<failure xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>[close None]");
}

#[tokio::test]
async fn plaintext_where_it_is_allowed() {
    let mut settings = HostSettings::default();
    settings.allow_plaintext = true;
    settings.sasl = Some(vec!["PLAIN".into(), "SCRAM-SHA-1-PLUS".into()]);
    let client = Client::new(settings).await;
    assert_eq!(
        client.features().await,
        "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>\
         <mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>\
         <mechanism>PLAIN</mechanism></mechanisms>"
    );
    client.authenticate().await;
    let late = client.send("<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>").await;
    assert!(late.starts_with("<failure "), "{late}");
}

/// The base64 of a wrong password of `alice`.
const WRONG: (&str, &str) = ("auth", "mechanism='PLAIN'>AGFsaWNlAHdyb25n");

/// Elements that no password is checked for, with the conditions of the answers.
const UNCHECKED: [(&str, &str, &str); 6] = [
    ("auth", "mechanism='GSSAPI'>", "invalid-mechanism"),
    ("auth", "mechanism='PLAIN'>not base64", "incorrect-encoding"),
    // `p=tls-unique,,n=alice,r=abc` and `y,,n=alice,r=abc`, as some clients begin.
    ("auth", "mechanism='SCRAM-SHA-1-PLUS'>cD10bHMtdW5pcXVlLCxuPWFsaWNlLHI9YWJj", "not-authorized"),
    ("auth", "mechanism='SCRAM-SHA-1'>eSwsbj1hbGljZSxyPWFiYw==", "not-authorized"),
    ("response", ">AAAA", "malformed-request"),
    ("abort", ">", "aborted"),
];

#[tokio::test]
async fn failures_have_conditions_and_wrong_passwords_end_the_stream() {
    let client = Client::encrypted().await;
    for (name, rest, condition) in UNCHECKED {
        let answer = client.sasl(name, rest).await;
        let failure =
            format!("<failure xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><{condition}/><text ");
        assert!(answer.starts_with(&failure), "{answer}");
    }
    for attempt in 1..=5 {
        let answer = client.sasl(WRONG.0, WRONG.1).await;
        assert!(answer.contains("<not-authorized/>"), "{answer}");
        assert_eq!(answer.ends_with("[error policy-violation]"), attempt == 5, "{answer}");
    }
}

#[tokio::test]
async fn attempts_without_a_password_have_a_limit_of_their_own() {
    let client = Client::encrypted().await;
    for (name, rest, _) in UNCHECKED.iter().cycle().take(12) {
        let answer = client.sasl(name, rest).await;
        assert!(answer.ends_with("</failure>"), "{answer}");
    }
    assert_eq!(client.sasl("abort", ">").await, "[error policy-violation]");
    // Wrong passwords in between do not count, and after eleven attempts a login succeeds.
    let client = Client::encrypted().await;
    for (name, rest, _) in UNCHECKED.iter().cycle().take(11) {
        client.sasl(name, rest).await;
    }
    for _ in 0..4 {
        assert!(client.sasl(WRONG.0, WRONG.1).await.ends_with("</failure>"));
    }
    client.authenticate().await;
}

#[tokio::test]
async fn exchanges_that_are_begun_again_and_again_end_the_stream() {
    let client = Client::encrypted().await;
    for _ in 0..12 {
        assert!(client.sasl("auth", "mechanism='PLAIN'>").await.starts_with("<challenge "));
    }
    assert_eq!(client.sasl("auth", "mechanism='PLAIN'>").await, "[error policy-violation]");
}

#[tokio::test]
async fn an_exchange_ends_with_its_stream() {
    let client = Client::encrypted().await;
    let challenge = "<challenge xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>=</challenge>";
    assert_eq!(client.sasl("auth", "mechanism='PLAIN'>").await, challenge);
    client.features().await;
    let answer = client.sasl("response", ">AGFsaWNlAHNlY3JldA==").await;
    assert!(answer.contains("<malformed-request/>"), "{answer}");
    assert_eq!(client.sasl("auth", "mechanism='PLAIN'>").await, challenge);
    let answer = client.sasl("response", ">AGFsaWNlAHNlY3JldA==").await;
    assert!(answer.starts_with("<success "), "{answer}");
    let again = client.sasl("auth", "mechanism='PLAIN'>").await;
    assert_eq!(again, "[error policy-violation]");
}

#[tokio::test]
async fn unreadable_accounts_are_a_temporary_failure() {
    let client = Client::encrypted().await;
    // `n,,n=alice,r=abc`
    let answer = client.sasl("auth", "mechanism='SCRAM-SHA-1'>biwsbj1hbGljZSxyPWFiYw==").await;
    assert!(answer.contains("<temporary-auth-failure/>"), "{answer}");
}

#[tokio::test]
async fn binding_and_the_legacy_session() {
    let client = Client::encrypted().await;
    let bind = |resource: &str| {
        format!(
            "<iq xmlns='jabber:client' type='set' id='b'>\
             <bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'>{resource}</bind></iq>"
        )
    };
    assert_eq!(client.send(&bind("")).await, "[error not-authorized]");
    client.authenticate().await;
    assert_eq!(
        client.features().await,
        "<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/>\
         <session xmlns='urn:ietf:params:xml:ns:xmpp-session'><optional/></session>"
    );
    let wrong = client.send(&bind("").replace("set", "get")).await;
    assert!(wrong.contains("<bad-request "), "{wrong}");
    let long = client.send(&bind(&format!("<resource>{}</resource>", "x".repeat(1024)))).await;
    assert!(long.contains("<bad-request "), "{long}");
    assert_eq!(
        client.send(&bind("<resource>phone</resource>")).await,
        "<iq type='result' id='b'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'>\
         <jid>alice@example.com/phone</jid></bind></iq>"
    );
    let again = client.send(&bind("<resource>phone</resource>")).await;
    assert!(again.contains("<not-allowed "), "{again}");
    for to in ["", "to='alice@example.com'", "to='example.com'"] {
        let request = format!(
            "<iq xmlns='jabber:client' type='set' id='s' {to}>\
             <session xmlns='urn:ietf:params:xml:ns:xmpp-session'/></iq>"
        );
        let answer = client.send(&request).await;
        assert!(answer.starts_with("<iq type='result' id='s'"), "{answer}");
    }
}

const BIND: &str = "<iq xmlns='jabber:client' type='set' id='b'>\
    <bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>";

#[tokio::test]
async fn an_account_that_changes_during_the_login_ends_it() {
    // The generation is looked at before the password is checked, before the success, after it,
    // before the resource is bound, and after.
    for changes_after in 1..=5 {
        let client = Client::encrypted().await;
        client.accounts.changes_after.store(changes_after, Ordering::Relaxed);
        let answer = client.sasl("auth", "mechanism='PLAIN'>AGFsaWNlAHNlY3JldA==").await;
        assert_eq!(answer.contains("<not-authorized/>"), changes_after == 1, "{answer}");
        let answer = client.send(BIND).await;
        let is_bound = client.session.jid().is_some();
        assert_eq!(is_bound, changes_after >= 4, "{changes_after}");
        let is_closed = answer.contains("[close Some(");
        assert_eq!(is_closed, (2..=4).contains(&changes_after), "{changes_after} {answer}");
    }
}

#[tokio::test]
async fn accounts_are_looked_up_again_only_if_the_generation_is_not_known() {
    let client = Client::encrypted().await;
    client.authenticate().await;
    client.send(BIND).await;
    assert!(client.session.jid().is_some());
    assert_eq!(client.accounts.lookups.load(Ordering::Relaxed), 0);
}

#[tokio::test]
async fn without_a_resource_one_is_generated() {
    let client = Client::encrypted().await;
    client.authenticate().await;
    let answer = client.send(BIND).await;
    let jid = client.session.jid().unwrap();
    assert_eq!(jid.resource().as_str().len(), 24);
    assert!(answer.contains(jid.as_str()), "{answer}");
}
