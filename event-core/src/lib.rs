//! What a Spondee module is written against: events, stanzas, sessions and the dispatch tables.
pub mod xml;
