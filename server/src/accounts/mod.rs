//! Accounts: who may log in. Passwords are kept as SCRAM keys only.

mod keys;

pub use keys::{ScramHash, ScramKeys};
