//! The Spondee XMPP server.
