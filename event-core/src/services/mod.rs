//! Services that modules and the server offer each other on a host, as traits:
//! [`Host::provide`](crate::Host::provide) and [`Host::service`](crate::Host::service).

mod accounts;
mod federation;
mod rosters;

pub use self::{
    accounts::{AccountError, Accounts, ScramHash, ScramKeys},
    federation::{Federation, KeyCheck, KeyQuestion},
    rosters::{Direction, Rosters},
};
