//! Other servers: finding, reaching and believing them, and what is written to them.

pub mod certificate;
pub mod connect;
mod dial;
mod federation;
mod pair;
mod pairs;
mod queue;
pub mod resolve;
#[cfg(test)]
pub(crate) mod tests;

pub use federation::Federation;
