//! One SASL exchange, as a state machine.
//!
//! The exchange does no I/O and never waits: the caller sends and receives messages, reads keys and
//! checks passwords. The caller also handles base64 and XML.

use std::fmt;

use event_core::{
    jid::{BareJid, NodePart},
    services::{ScramHash, ScramKeys},
};
use zeroize::Zeroizing;

use super::failure::{Failure, SaslCondition};
use super::library::{Inner, Outcome};
use event_core::services::Mechanism;

use super::mechanism::CHANNEL_BINDING;
use super::message::{Binding, First, check_final};

/// One SASL exchange on one stream.
pub(super) struct Exchange {
    mechanism: Mechanism,
    host: String,
    channel: Option<Vec<u8>>,
    offered_plus: bool,
    state: State,
}

enum State {
    /// No message was received yet.
    Start,
    /// SCRAM's first message was received, and the keys are requested.
    AwaitKeys { first: Vec<u8>, username: String },
    /// SCRAM's challenge was sent.
    AwaitProof { inner: Inner, username: String },
    /// PLAIN's password is being checked.
    AwaitCheck { username: String },
    /// The exchange has succeeded or failed.
    Over,
}

/// The caller's next action.
#[derive(PartialEq, Eq)]
pub(super) enum Step {
    /// Read the keys of the account and call [`Exchange::provide_keys`].
    NeedCredentials {
        /// The username.
        username: String,
        /// The hash of the mechanism.
        hash: ScramHash,
    },
    /// Check the password and call [`Exchange::finish_check`].
    CheckPassword {
        /// The username.
        username: String,
        /// The password, as the library prepared it.
        password: Zeroizing<String>,
    },
    /// Send this challenge to the client and call [`Exchange::step`] with the answer.
    Challenge(Vec<u8>),
    /// The client is authenticated.
    Success {
        /// The username, normalized.
        username: String,
        /// The data to send with the success.
        final_message: Option<Vec<u8>>,
    },
    /// The client is not authenticated, or did not follow the mechanism.
    Failure(Failure),
}

impl Exchange {
    /// Starts an exchange on a stream of `host`.
    ///
    /// `channel_binding` is the stream's TLS exporter value, if available. `offered_plus` says
    /// whether a `-PLUS` mechanism was offered.
    pub(super) fn start(
        mechanism: Mechanism,
        host: &str,
        initial_response: Option<&[u8]>,
        channel_binding: Option<Vec<u8>>,
        offered_plus: bool,
    ) -> (Self, Step) {
        let mut exchange = Self {
            mechanism,
            host: host.to_owned(),
            channel: channel_binding,
            offered_plus,
            state: State::Start,
        };
        // SCRAM and PLAIN start with a client message, which an empty challenge requests.
        let step = initial_response
            .map_or_else(|| Step::Challenge(Vec::new()), |data| exchange.step(data));
        (exchange, step)
    }

    /// Handles the client's next message.
    pub(super) fn step(&mut self, data: &[u8]) -> Step {
        match (std::mem::replace(&mut self.state, State::Over), self.mechanism) {
            (State::Start, Mechanism::Scram { hash, plus }) => self.scram_first(data, hash, plus),
            (State::Start, Mechanism::Plain) => self.plain(data),
            (State::AwaitProof { inner, username }, _) => scram_final(inner, username, data),
            _ => failure(SaslCondition::MalformedRequest, "no message was expected"),
        }
    }

    /// Takes the keys that [`Step::NeedCredentials`] requested. The keys of an account that does
    /// not exist must be generated, so that the exchange fails only at the end.
    pub(super) fn provide_keys(&mut self, keys: ScramKeys) -> Step {
        let State::AwaitKeys { first, username } = std::mem::replace(&mut self.state, State::Over)
        else {
            return failure(SaslCondition::TemporaryAuthFailure, "no keys were requested");
        };
        if self.mechanism.hash() != Some(keys.hash) {
            return failure(SaslCondition::TemporaryAuthFailure, "the keys are of another hash");
        }
        let channel = self.channel.take();
        let Some(mut inner) = Inner::new(self.mechanism, Some(keys), channel, self.offered_plus)
        else {
            return failure(SaslCondition::InvalidMechanism, "the mechanism is not available");
        };
        match inner.step(&first) {
            Outcome::Challenge(challenge) => {
                self.state = State::AwaitProof { inner, username };
                Step::Challenge(challenge)
            }
            Outcome::Done { .. } | Outcome::Failed => {
                failure(SaslCondition::NotAuthorized, "channel binding failed")
            }
        }
    }

    /// Takes the result that [`Step::CheckPassword`] requested.
    pub(super) fn finish_check(&mut self, is_correct: bool) -> Step {
        match std::mem::replace(&mut self.state, State::Over) {
            State::AwaitCheck { username } if is_correct => {
                Step::Success { username, final_message: None }
            }
            State::AwaitCheck { .. } => Step::Failure(Failure::WRONG),
            _ => failure(SaslCondition::TemporaryAuthFailure, "no check was requested"),
        }
    }

    fn scram_first(&mut self, data: &[u8], hash: ScramHash, plus: bool) -> Step {
        let Ok(first) = First::parse(data) else {
            return failure(
                SaslCondition::MalformedRequest,
                "the first message of SCRAM is malformed",
            );
        };
        let refused = match (first.binding, plus) {
            (Binding::Used(kind), true) if kind != CHANNEL_BINDING => {
                Some("only tls-exporter is offered as channel binding")
            }
            (Binding::Used(_), true) if self.channel.is_none() => {
                Some("this stream has no channel to bind to")
            }
            (Binding::Used(_), false) => Some("channel binding needs a -PLUS mechanism"),
            (Binding::Unsupported | Binding::Unoffered, true) => {
                Some("a -PLUS mechanism needs channel binding")
            }
            // The client saw no -PLUS mechanism although one was offered: an attacker removed it.
            (Binding::Unoffered, false) if self.offered_plus => {
                Some("channel binding was offered and is supported, but was not used")
            }
            _ => None,
        };
        if let Some(text) = refused {
            return failure(SaslCondition::NotAuthorized, text);
        }
        let username = normalized(&first.username);
        if let Some(refusal) = self.check_authzid(first.authzid.as_deref(), &username) {
            return refusal;
        }
        self.state = State::AwaitKeys { first: data.to_vec(), username: username.clone() };
        Step::NeedCredentials { username, hash }
    }

    fn plain(&mut self, data: &[u8]) -> Step {
        let outcome = Inner::new(Mechanism::Plain, None, None, false)
            .map_or(Outcome::Failed, |mut inner| inner.step(data));
        let Outcome::Done { identity, .. } = outcome else {
            return failure(SaslCondition::MalformedRequest, "the message of PLAIN is malformed");
        };
        let Some(password) = identity.password else {
            return failure(SaslCondition::MalformedRequest, "the message of PLAIN is malformed");
        };
        let username = normalized(&identity.username);
        let authzid = identity.authzid.as_deref().filter(|authzid| !authzid.is_empty());
        if let Some(refusal) = self.check_authzid(authzid, &username) {
            return refusal;
        }
        self.state = State::AwaitCheck { username: username.clone() };
        Step::CheckPassword { username, password }
    }

    /// Accepts only the account's own address as authzid.
    fn check_authzid(&self, authzid: Option<&str>, username: &str) -> Option<Step> {
        let own = |authzid: &str| {
            BareJid::new(authzid).is_ok_and(|jid| {
                jid.domain().as_str() == self.host
                    && jid.node().is_some_and(|name| name.as_str() == username)
            })
        };
        let refused = authzid.is_some_and(|authzid| !own(authzid));
        refused.then(|| {
            failure(
                SaslCondition::InvalidAuthzid,
                "the authorization identity must be the address of the account",
            )
        })
    }
}

fn scram_final(mut inner: Inner, username: String, data: &[u8]) -> Step {
    if check_final(data).is_err() {
        return failure(SaslCondition::MalformedRequest, "the final message of SCRAM is malformed");
    }
    match inner.step(data) {
        Outcome::Done { message, .. } => Step::Success { username, final_message: message },
        Outcome::Challenge(_) | Outcome::Failed => Step::Failure(Failure::WRONG),
    }
}

/// The username in normal form. An invalid name is returned unchanged, so that authentication fails
/// at the end, as with any name that has no account.
fn normalized(username: &str) -> String {
    NodePart::new(username).map_or_else(|_| username.to_owned(), |name| name.as_str().to_owned())
}

fn failure(condition: SaslCondition, text: &'static str) -> Step {
    Step::Failure(Failure::new(condition, text))
}

impl fmt::Debug for Exchange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Exchange").field("mechanism", &self.mechanism).finish_non_exhaustive()
    }
}

/// Omits messages and passwords.
impl fmt::Debug for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NeedCredentials { username, hash } => f
                .debug_struct("NeedCredentials")
                .field("username", username)
                .field("hash", hash)
                .finish(),
            Self::CheckPassword { username, .. } => {
                f.debug_struct("CheckPassword").field("username", username).finish_non_exhaustive()
            }
            Self::Challenge(_) => f.write_str("Challenge"),
            Self::Success { username, .. } => {
                f.debug_struct("Success").field("username", username).finish_non_exhaustive()
            }
            Self::Failure(failure) => failure.fmt(f),
        }
    }
}
