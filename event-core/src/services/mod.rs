//! The traits of the services that modules and the server offer each other on a host. See
//! [`Host::provide`](crate::Host::provide) and [`Host::service`](crate::Host::service).

mod accounts;
mod federation;
mod mechanism;
mod rosters;

pub use self::{
    accounts::{AccountError, Accounts, ScramHash, ScramKeys},
    federation::{Federation, KeyCheck, KeyQuestion, ServerFederation},
    mechanism::{Mechanism, UnknownMechanism},
    rosters::{Direction, Rosters},
};
