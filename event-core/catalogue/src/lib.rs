//! The names, grammar and rules of Spondee's events.
