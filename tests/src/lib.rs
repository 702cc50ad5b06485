//! End-to-end tests against the running server.
