//! Other servers: finding, reaching and believing them.

pub mod certificate;
pub mod connect;
pub mod resolve;
#[cfg(test)]
pub(crate) mod tests;
