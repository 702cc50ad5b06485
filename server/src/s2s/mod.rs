//! Federation: finds, connects to and authenticates other servers, and has the queues to them.

pub mod certificate;
pub mod connect;
mod dial;
mod federation;
mod pair;
mod pairs;
mod payer;
mod public;
mod queue;
pub mod resolve;
mod shares;
#[cfg(test)]
pub(crate) mod tests;
mod trust;

pub use federation::Federation;
