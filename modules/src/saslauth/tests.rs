//! Tests the exchange with the client of another library, and with malicious clients.

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use event_core::services::{Mechanism, ScramHash, ScramKeys};
use hmac::{Hmac, Mac};
use proptest::prelude::*;
use sasl::client::Mechanism as Client;
use sasl::client::mechanisms::{Plain, Scram};
use sasl::common::scram::{DeriveError, ScramProvider, Sha1, Sha256};
use sasl::common::{ChannelBinding, Credentials, Password};
use sha2::Digest;

use super::mechanism::offered;
use super::*;

const HOST: &str = "example.com";
const CHANNEL: &[u8; 32] = b"0123456789abcdef0123456789abcdef";

/// SHA-512 for the client's library, which has no SHA-512 but accepts other hashes.
struct Sha512;

impl ScramProvider for Sha512 {
    type Secret = sasl::secret::Pbkdf2Sha256;

    fn name() -> &'static str {
        "SHA-512"
    }

    fn hash(data: &[u8]) -> Vec<u8> {
        sha2::Sha512::digest(data).to_vec()
    }

    fn hmac(data: &[u8], key: &[u8]) -> Result<Vec<u8>, hmac::digest::InvalidLength> {
        let mut mac = <Hmac<sha2::Sha512>>::new_from_slice(key)?;
        mac.update(data);
        Ok(mac.finalize().into_bytes().to_vec())
    }

    fn derive(password: &Password, salt: &[u8], iterations: u32) -> Result<Vec<u8>, DeriveError> {
        let Password::Plain(password) = password else { unreachable!() };
        let mut salted = vec![0; 64];
        pbkdf2::pbkdf2_hmac::<sha2::Sha512>(password.as_bytes(), salt, iterations, &mut salted);
        Ok(salted)
    }
}

fn client(hash: ScramHash, name: &str, password: &str, channel: ChannelBinding) -> Box<dyn Client> {
    match hash {
        ScramHash::Sha1 => Box::new(Scram::<Sha1>::new(name, password, channel).unwrap()),
        ScramHash::Sha256 => Box::new(Scram::<Sha256>::new(name, password, channel).unwrap()),
        ScramHash::Sha512 => Box::new(Scram::<Sha512>::new(name, password, channel).unwrap()),
    }
}

/// The keys of the password `secret`.
fn keys(hash: ScramHash) -> ScramKeys {
    match hash {
        ScramHash::Sha1 => derive::<Sha1>(hash),
        ScramHash::Sha256 => derive::<Sha256>(hash),
        ScramHash::Sha512 => derive::<Sha512>(hash),
    }
}

fn derive<P: ScramProvider>(hash: ScramHash) -> ScramKeys {
    let (salt, iterations) = (b"0123456789abcdef".to_vec(), 64);
    let salted = P::derive(&Password::Plain("secret".into()), &salt, iterations).unwrap();
    let stored_key = P::hash(&P::hmac(b"Client Key", &salted).unwrap());
    let server_key = P::hmac(b"Server Key", &salted).unwrap();
    ScramKeys { hash, iterations, salt, stored_key, server_key }
}

fn scram(hash: ScramHash, plus: bool) -> Mechanism {
    Mechanism::Scram { hash, plus }
}

fn binding(plus: bool) -> ChannelBinding {
    if plus { ChannelBinding::TlsExporter(CHANNEL.to_vec()) } else { ChannelBinding::None }
}

fn condition(step: Step) -> SaslCondition {
    match step {
        Step::Failure(Failure { condition, .. }) => condition,
        other => panic!("{other:?}"),
    }
}

/// Runs an exchange to its end.
fn run(mechanism: Mechanism, client: &mut dyn Client, channel: Option<&[u8]>) -> Step {
    let Mechanism::Scram { hash, plus } = mechanism else { panic!("not SCRAM") };
    let first = client.initial();
    let channel = channel.map(<[u8]>::to_vec);
    let (mut exchange, step) = Exchange::start(mechanism, HOST, Some(&first), channel, plus);
    if !matches!(step, Step::NeedCredentials { .. }) {
        return step;
    }
    match exchange.provide_keys(keys(hash)) {
        Step::Challenge(challenge) => exchange.step(&client.response(&challenge).unwrap()),
        other => other,
    }
}

#[test]
fn every_mechanism_with_another_library() {
    for mechanism in Mechanism::ALL {
        let Mechanism::Scram { hash, plus } = mechanism else {
            continue;
        };
        let mut right = client(hash, "user", "secret", binding(plus));
        assert_eq!(right.name(), mechanism.name());
        match run(mechanism, &mut *right, plus.then_some(CHANNEL.as_slice())) {
            Step::Success { username, final_message } => {
                assert_eq!(username, "user");
                right.success(&final_message.unwrap()).unwrap();
            }
            other => panic!("{mechanism}: {other:?}"),
        }
        let mut wrong = client(hash, "user", "wrong", binding(plus));
        let failed = run(mechanism, &mut *wrong, plus.then_some(CHANNEL.as_slice()));
        assert_eq!(condition(failed), SaslCondition::NotAuthorized);
    }
}

#[test]
fn without_an_initial_response() {
    let mechanism = scram(ScramHash::Sha256, false);
    let (mut exchange, step) = Exchange::start(mechanism, HOST, None, None, false);
    assert_eq!(step, Step::Challenge(Vec::new()));
    let step = exchange.step(b"n,,n=User,r=abc");
    assert_eq!(step, Step::NeedCredentials { username: "user".into(), hash: ScramHash::Sha256 });
}

#[test]
fn names_with_commas_and_equals_signs() {
    for (sent, username) in [("a=2Cb=3Dc", "a,b=c"), ("USER", "user"), ("b@d", "b@d")] {
        let mut right = client(ScramHash::Sha256, sent, "secret", ChannelBinding::None);
        match run(scram(ScramHash::Sha256, false), &mut *right, None) {
            Step::Success { username: name, .. } => assert_eq!(name, username),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn another_channel_fails() {
    for hash in ScramHash::ALL {
        let mut relayed = client(hash, "user", "secret", binding(true));
        let failed = run(scram(hash, true), &mut *relayed, Some(&[7; 32]));
        assert_eq!(condition(failed), SaslCondition::NotAuthorized);
    }
    // The mechanism is -PLUS, but the stream has no such channel, or the client does not bind it.
    for (first, channel) in [
        ("p=tls-exporter,,n=user,r=abc", None),
        ("p=tls-unique,,n=user,r=abc", Some(CHANNEL.to_vec())),
        ("n,,n=user,r=abc", Some(CHANNEL.to_vec())),
        ("y,,n=user,r=abc", Some(CHANNEL.to_vec())),
    ] {
        let mechanism = scram(ScramHash::Sha256, true);
        let (_, step) = Exchange::start(mechanism, HOST, Some(first.as_bytes()), channel, true);
        assert_eq!(condition(step), SaslCondition::NotAuthorized, "{first}");
    }
}

#[test]
fn a_downgrade_is_detected() {
    let mechanism = scram(ScramHash::Sha256, false);
    let start = |first: &str, offered_plus: bool| {
        let channel = offered_plus.then(|| CHANNEL.to_vec());
        Exchange::start(mechanism, HOST, Some(first.as_bytes()), channel, offered_plus).1
    };
    let downgraded = start("y,,n=user,r=abc", true);
    assert_eq!(condition(downgraded), SaslCondition::NotAuthorized);
    let bound = start("p=tls-exporter,,n=user,r=abc", true);
    assert_eq!(condition(bound), SaslCondition::NotAuthorized);
    // A client without channel binding is accepted. So is a client with channel binding if the
    // server has none.
    assert!(matches!(start("n,,n=user,r=abc", true), Step::NeedCredentials { .. }));
    assert!(matches!(start("y,,n=user,r=abc", false), Step::NeedCredentials { .. }));
    for (offered, flag) in [(true, ChannelBinding::None), (false, ChannelBinding::Unsupported)] {
        let mut right = client(ScramHash::Sha256, "user", "secret", flag);
        let first = right.initial();
        let (mut exchange, _) = Exchange::start(mechanism, HOST, Some(&first), None, offered);
        let Step::Challenge(challenge) = exchange.provide_keys(keys(ScramHash::Sha256)) else {
            panic!("no challenge")
        };
        let step = exchange.step(&right.response(&challenge).unwrap());
        assert!(matches!(step, Step::Success { .. }), "{step:?}");
    }
    // The flag is signed, so the exchange fails if an attacker changes the flag.
    let mut right = client(ScramHash::Sha256, "user", "secret", ChannelBinding::Unsupported);
    let first = String::from_utf8(right.initial()).unwrap().replacen('y', "n", 1);
    let (mut exchange, _) = Exchange::start(mechanism, HOST, Some(first.as_bytes()), None, true);
    let Step::Challenge(challenge) = exchange.provide_keys(keys(ScramHash::Sha256)) else {
        panic!("no challenge")
    };
    let step = exchange.step(&right.response(&challenge).unwrap());
    assert_eq!(condition(step), SaslCondition::NotAuthorized);
}

#[test]
fn the_authzid() {
    for (authzid, accepted) in [
        ("", true),
        ("a=user@example.com", true),
        ("a=User@Example.com", true),
        ("a=other@example.com", false),
        ("a=user@other.example", false),
        ("a=user", false),
        ("a=user@example.com/resource", false),
    ] {
        let first = format!("n,{authzid},n=user,r=abc");
        let mechanism = scram(ScramHash::Sha256, false);
        let (_, step) = Exchange::start(mechanism, HOST, Some(first.as_bytes()), None, false);
        if accepted {
            assert!(matches!(step, Step::NeedCredentials { .. }), "{authzid}");
        } else {
            assert_eq!(condition(step), SaslCondition::InvalidAuthzid, "{authzid}");
        }
    }
}

#[test]
fn plain() {
    let credentials = Credentials::default().with_username("User").with_password("secret");
    let message = Plain::from_credentials(credentials).unwrap().initial();
    let start = |message: &[u8]| Exchange::start(Mechanism::Plain, HOST, Some(message), None, true);
    for correct in [true, false] {
        let (mut exchange, step) = start(&message);
        let Step::CheckPassword { username, password } = step else { panic!("{step:?}") };
        assert_eq!((username.as_str(), password.as_str()), ("user", "secret"));
        match exchange.finish_check(correct) {
            Step::Success { username, final_message: None } if correct => {
                assert_eq!(username, "user");
            }
            other => assert_eq!(condition(other), SaslCondition::NotAuthorized),
        }
        assert_eq!(condition(exchange.finish_check(true)), SaslCondition::TemporaryAuthFailure);
    }
    let own = start(b"user@example.com\0user\0secret").1;
    assert!(matches!(own, Step::CheckPassword { .. }));
    let other = start(b"root@example.com\0user\0secret").1;
    assert_eq!(condition(other), SaslCondition::InvalidAuthzid);
    for bad in [&b""[..], b"\0", b"\0user", b"\0user\0", b"\0\0x", b"\0u\0p\0", b"\0u\0\xff\xff"] {
        assert_eq!(condition(start(bad).1), SaslCondition::MalformedRequest, "{bad:?}");
    }
}

#[test]
fn nothing_works_twice() {
    let mechanism = scram(ScramHash::Sha1, false);
    let mut right = client(ScramHash::Sha1, "user", "secret", ChannelBinding::None);
    let first = right.initial();
    let (mut exchange, _) = Exchange::start(mechanism, HOST, Some(&first), None, false);
    assert_eq!(condition(exchange.finish_check(true)), SaslCondition::TemporaryAuthFailure);
    let (mut exchange, _) = Exchange::start(mechanism, HOST, Some(&first), None, false);
    let other = exchange.provide_keys(keys(ScramHash::Sha256));
    assert_eq!(condition(other), SaslCondition::TemporaryAuthFailure);
    let (mut exchange, _) = Exchange::start(mechanism, HOST, Some(&first), None, false);
    assert_eq!(condition(exchange.step(&first)), SaslCondition::MalformedRequest);
    let (mut exchange, _) = Exchange::start(mechanism, HOST, Some(&first), None, false);
    let Step::Challenge(challenge) = exchange.provide_keys(keys(ScramHash::Sha1)) else {
        panic!("no challenge")
    };
    let proof = right.response(&challenge).unwrap();
    assert!(matches!(exchange.step(&proof), Step::Success { .. }));
    assert_eq!(condition(exchange.step(&proof)), SaslCondition::MalformedRequest);
}

#[test]
fn the_offered_mechanisms() {
    let names = |offered: Vec<Mechanism>| offered.iter().map(|m| m.name()).collect::<Vec<_>>();
    assert!(offered(false, false, None, false).is_empty());
    assert_eq!(offered(true, true, None, false), Mechanism::ALL);
    assert_eq!(
        names(offered(true, false, None, false)),
        ["SCRAM-SHA-512", "SCRAM-SHA-256", "SCRAM-SHA-1", "PLAIN"]
    );
    assert_eq!(offered(false, true, None, true), offered(true, false, None, false));
    let allowed = ["PLAIN", "SCRAM-SHA-1"].map(str::to_owned);
    assert_eq!(names(offered(true, true, Some(&allowed), false)), ["SCRAM-SHA-1", "PLAIN"]);
}

#[test]
fn an_exchange_may_wait_on_any_thread() {
    fn is_send<T: Send>() {}
    is_send::<Exchange>();
}

#[test]
fn no_password_is_shown() {
    let (exchange, step) =
        Exchange::start(Mechanism::Plain, HOST, Some(b"\0user\0hunter2"), None, false);
    assert!(!format!("{exchange:?}{step:?}").contains("hunter2"));
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(
        index in 0..Mechanism::ALL.len(),
        first in proptest::collection::vec(any::<u8>(), 0..64),
        second in proptest::collection::vec(any::<u8>(), 0..64),
    ) {
        let (mut exchange, step) =
            Exchange::start(Mechanism::ALL[index], HOST, Some(&first), None, false);
        let further = matches!(step, Step::Success { .. } | Step::Challenge(_));
        prop_assert!(!further);
        let step = exchange.step(&second);
        let failed = matches!(step, Step::Failure(_));
        prop_assert!(failed);
    }

    #[test]
    fn nearly_right_messages_neither_panic_nor_succeed(
        first in "[nyp](=tls-exporter)?,(a=[a@=,]{0,3})?,[nmx]?=?[a=,23CD]{0,6},r?=?[a-z,]{0,4}",
        parts in ("c?=?[A-Za-z0-9+/=]{0,8}", "(,[a-z]?=?[a-z]{0,2}){0,2}", ",?p?=?[A-Z=,]{0,90}"),
        echo in any::<bool>(),
        plus in any::<bool>(),
    ) {
        let mechanism = scram(ScramHash::Sha256, plus);
        let channel = plus.then(|| CHANNEL.to_vec());
        let (mut exchange, step) =
            Exchange::start(mechanism, HOST, Some(first.as_bytes()), channel, plus);
        let challenge = match step {
            Step::NeedCredentials { .. } => exchange.provide_keys(keys(ScramHash::Sha256)),
            other => other,
        };
        if let Step::Challenge(challenge) = challenge {
            let nonce = String::from_utf8(challenge).unwrap();
            let nonce = nonce.split(',').next().unwrap();
            let (binding, extra, proof) = parts;
            let nonce = if echo { nonce } else { "r=x" };
            let step = exchange.step(format!("{binding},{nonce}{extra}{proof}").as_bytes());
            let failed = matches!(step, Step::Failure(_));
            prop_assert!(failed);
        }
    }

    #[test]
    fn a_proof_with_one_bit_changed_fails(bit in 0..256_usize) {
        let mechanism = scram(ScramHash::Sha256, false);
        let mut right = client(ScramHash::Sha256, "user", "secret", ChannelBinding::None);
        let (mut exchange, _) =
            Exchange::start(mechanism, HOST, Some(&right.initial()), None, false);
        let Step::Challenge(challenge) = exchange.provide_keys(keys(ScramHash::Sha256)) else {
            panic!("no challenge")
        };
        let message = String::from_utf8(right.response(&challenge).unwrap()).unwrap();
        let (rest, proof) = message.split_once(",p=").unwrap();
        let mut proof = BASE64.decode(proof).unwrap();
        proof[bit / 8] ^= 1 << (bit % 8);
        let changed = format!("{rest},p={}", BASE64.encode(proof));
        prop_assert_eq!(condition(exchange.step(changed.as_bytes())), SaslCondition::NotAuthorized);
    }
}
