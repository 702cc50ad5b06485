//! The test harness for module authors.
