//! Runs an exchange with the SASL library `rsasl`.

use event_core::services::ScramKeys;
use rsasl::callback::{Context, Request, SessionCallback, SessionData};
use rsasl::config::SASLConfig;
use rsasl::mechanisms::plain::PLAIN;
use rsasl::mechanisms::scram::properties::ScramStoredPassword;
use rsasl::mechanisms::scram::{
    SCRAM_SHA1, SCRAM_SHA1_PLUS, SCRAM_SHA256, SCRAM_SHA256_PLUS, SCRAM_SHA512, SCRAM_SHA512_PLUS,
};
use rsasl::mechname::Mechname;
use rsasl::prelude::{
    ChannelBindingCallback, Mechanism as Implementation, Registry, SASLServer, Session,
    SessionError, State, Validation,
};
use rsasl::property::{AuthId, AuthzId, Password};
use rsasl::validate::{Validate, ValidationError};
use zeroize::Zeroizing;

use event_core::services::Mechanism;

use super::mechanism::CHANNEL_BINDING;

static PLUS: &[Implementation] = &[
    SCRAM_SHA1,
    SCRAM_SHA256,
    SCRAM_SHA512,
    SCRAM_SHA1_PLUS,
    SCRAM_SHA256_PLUS,
    SCRAM_SHA512_PLUS,
    PLAIN,
];
/// The mechanisms without channel binding. The library takes the registered mechanisms for the
/// offered ones, and so detects that an attacker removed channel binding from the offer.
static NO_PLUS: &[Implementation] = &[SCRAM_SHA1, SCRAM_SHA256, SCRAM_SHA512, PLAIN];

/// One exchange in the library.
pub(super) struct Inner {
    session: Session<Validated, Channel>,
}

/// The result of a message.
pub(super) enum Outcome {
    /// The exchange continues.
    Challenge(Vec<u8>),
    /// The exchange ended with this identity.
    Done { identity: Identity, message: Option<Vec<u8>> },
    /// The exchange failed.
    Failed,
}

/// The identity at the end of an exchange: authenticated for SCRAM, only claimed for PLAIN.
pub(super) struct Identity {
    pub(super) username: String,
    pub(super) authzid: Option<String>,
    pub(super) password: Option<Zeroizing<String>>,
}

impl Inner {
    /// `keys` are for SCRAM; `channel` has the channel binding data, if available.
    pub(super) fn new(
        mechanism: Mechanism,
        keys: Option<ScramKeys>,
        channel: Option<Vec<u8>>,
        offered_plus: bool,
    ) -> Option<Self> {
        let registry = Registry::with_mechanisms(if offered_plus { PLUS } else { NO_PLUS });
        let config =
            SASLConfig::builder().with_registry(registry).with_callback(Keys(keys)).ok()?;
        let name = Mechname::parse(mechanism.name().as_bytes()).ok()?;
        let server = SASLServer::with_cb(config, Channel(channel));
        Some(Self { session: server.start_suggested(name).ok()? })
    }

    pub(super) fn step(&mut self, data: &[u8]) -> Outcome {
        let mut message = Vec::new();
        match self.session.step(Some(data), &mut message) {
            Ok(State::Running) => Outcome::Challenge(message),
            // A mechanism may finish with an error message for the client, so only a validation
            // means success.
            Ok(State::Finished(_)) => match self.session.validation() {
                Some(identity) => {
                    let message = (!message.is_empty()).then_some(message);
                    Outcome::Done { identity, message }
                }
                None => Outcome::Failed,
            },
            Err(_) => Outcome::Failed,
        }
    }
}

struct Validated;

impl Validation for Validated {
    type Value = Identity;
}

struct Channel(Option<Vec<u8>>);

impl ChannelBindingCallback for Channel {
    fn get_cb_data(&self, name: &str) -> Option<&[u8]> {
        self.0.as_deref().filter(|_| name == CHANNEL_BINDING)
    }
}

struct Keys(Option<ScramKeys>);

impl SessionCallback for Keys {
    fn callback(
        &self,
        _session: &SessionData,
        _context: &Context<'_>,
        request: &mut Request<'_>,
    ) -> Result<(), SessionError> {
        if let Self(Some(keys)) = self {
            request.satisfy::<ScramStoredPassword<'static>>(&ScramStoredPassword::new(
                keys.iterations,
                &keys.salt,
                &keys.stored_key,
                &keys.server_key,
            ))?;
        }
        Ok(())
    }

    fn validate(
        &self,
        _session: &SessionData,
        context: &Context<'_>,
        validate: &mut Validate<'_>,
    ) -> Result<(), ValidationError> {
        validate.with::<Validated, _>(|| {
            let text = |bytes: &[u8]| {
                let text = std::str::from_utf8(bytes).map(str::to_owned);
                text.map(Zeroizing::new).map_err(|error| ValidationError::Boxed(Box::new(error)))
            };
            let username = context.get_ref::<AuthId>();
            Ok(Identity {
                username: username.ok_or(ValidationError::MissingRequiredProperty)?.to_owned(),
                authzid: context.get_ref::<AuthzId>().map(str::to_owned),
                password: context.get_ref::<Password>().map(text).transpose()?,
            })
        })?;
        Ok(())
    }
}
