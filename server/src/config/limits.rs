//! The limits on what one peer can cost the server.

use serde::{Deserialize, Serialize};

/// `[limits]`: the unit is part of each key's name; no key may be 0.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// The longest stanza from a client, in bytes. RFC 6120 wants at least 10,000.
    pub stanza_bytes: usize,
    /// The longest stanza from another server or a component, in bytes.
    pub server_stanza_bytes: usize,
    /// The longest element before a stream is authenticated, in bytes.
    pub unauthenticated_bytes: usize,
    /// How deep elements may nest within a stanza.
    pub depth: usize,
    /// How many attributes one element may have.
    pub attributes: usize,
    /// The seconds a stream has to authenticate, from the connection on.
    pub authentication_seconds: u64,
    /// How many authentications may fail on one stream before it is closed.
    pub authentication_attempts: u32,
    /// The bytes waiting to be written to one client before its stream is ended.
    pub queue_bytes: usize,
    /// The bytes waiting to be written to one server or component before senders are refused.
    pub server_queue_bytes: usize,
    /// The bytes that wait on all streams together, read and not handled or to be written, beyond
    /// 4 KiB each way on each: the stream that has most is ended first.
    pub waiting_bytes: usize,
    /// The bytes read ahead from one stream while its stanzas wait to be handled.
    pub read_ahead_bytes: usize,
    /// The bytes that are read of one client in a second, in the long run: who sends more waits.
    pub bytes_per_second: u32,
    /// The stanzas that are read of one client in a second, in the long run.
    pub stanzas_per_second: u32,
    /// The bytes that are read of one server or component in a second, in the long run.
    pub server_bytes_per_second: u32,
    /// The stanzas that are read of one server or component in a second, in the long run.
    pub server_stanzas_per_second: u32,
    /// After a pause, so many seconds' worth of bytes and stanzas are read at once.
    pub burst_seconds: u32,
    /// The seconds for which a stream may be sent more than is read before it is closed; half of
    /// the time since is forgiven.
    pub flood_seconds: u32,
    /// Connections at the same time, on all listeners together. Nine tenths of the files that the
    /// system allows, if that is less.
    pub connections: usize,
    /// Connections at the same time from one address; fewer as those of all are fewer.
    pub connections_per_address: usize,
    /// Connections that may begin from one address in a second, in the long run; those of
    /// `burst_seconds` at once. This machine's own address may begin as many as it likes.
    pub connections_per_second: u32,
    /// Sessions at the same time for one account.
    pub sessions_per_account: usize,
    /// Passwords of SASL PLAIN being checked at the same time; each takes a processor meanwhile.
    pub password_checks: usize,
    /// Iterations of the hash when a password is set: the work of guessing one.
    pub scram_iterations: u32,
    /// The seconds that handlers of `server-stopping` and open sessions get to end.
    pub stop_seconds: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            stanza_bytes: 256 * 1024,
            server_stanza_bytes: 512 * 1024,
            unauthenticated_bytes: 16 * 1024,
            depth: 100,
            attributes: 100,
            authentication_seconds: 60,
            authentication_attempts: 5,
            queue_bytes: 1024 * 1024,
            server_queue_bytes: 8 * 1024 * 1024,
            waiting_bytes: 128 * 1024 * 1024,
            read_ahead_bytes: 64 * 1024,
            bytes_per_second: 1024 * 1024,
            stanzas_per_second: 5000,
            server_bytes_per_second: 16 * 1024 * 1024,
            server_stanzas_per_second: 20_000,
            burst_seconds: 4,
            flood_seconds: 60,
            connections: 50_000,
            connections_per_address: 10_000,
            connections_per_second: 100,
            sessions_per_account: 50,
            password_checks: std::thread::available_parallelism().map_or(1, usize::from),
            scram_iterations: 4096,
            stop_seconds: 10,
        }
    }
}

impl Limits {
    /// The first value too small to work with: its key, and the least it may be.
    pub(super) fn too_small(&self) -> Option<(&'static str, usize)> {
        // RFC 7677 section 4 sets the floor for iterations, RFC 6120 section 13.12 for stanzas.
        let floors = [
            ("stanza_bytes", self.stanza_bytes, 10_000),
            ("server_stanza_bytes", self.server_stanza_bytes, 10_000),
            ("unauthenticated_bytes", self.unauthenticated_bytes, 4096),
            ("depth", self.depth, 8),
            ("attributes", self.attributes, 16),
            ("authentication_seconds", clamp(self.authentication_seconds), 1),
            ("authentication_attempts", clamp(self.authentication_attempts.into()), 1),
            ("queue_bytes", self.queue_bytes, 16 * 1024),
            ("server_queue_bytes", self.server_queue_bytes, 16 * 1024),
            ("waiting_bytes", self.waiting_bytes, 1024 * 1024),
            ("read_ahead_bytes", self.read_ahead_bytes, 1024),
            ("bytes_per_second", wide(self.bytes_per_second), 1024),
            ("stanzas_per_second", wide(self.stanzas_per_second), 1),
            ("server_bytes_per_second", wide(self.server_bytes_per_second), 1024),
            ("server_stanzas_per_second", wide(self.server_stanzas_per_second), 1),
            ("burst_seconds", wide(self.burst_seconds), 1),
            ("flood_seconds", wide(self.flood_seconds), 1),
            ("connections", self.connections, 1),
            ("connections_per_address", self.connections_per_address, 1),
            ("connections_per_second", wide(self.connections_per_second), 1),
            ("sessions_per_account", self.sessions_per_account, 1),
            ("password_checks", self.password_checks, 1),
            ("scram_iterations", clamp(self.scram_iterations.into()), 4096),
            ("stop_seconds", clamp(self.stop_seconds), 1),
        ];
        floors
            .into_iter()
            .find(|(_, value, least)| value < least)
            .map(|(key, _, least)| (key, least))
    }
}

fn wide(number: u32) -> usize {
    clamp(number.into())
}

fn clamp(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}
