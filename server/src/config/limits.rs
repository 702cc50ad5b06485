//! `[limits]`: the resources that one peer may use.

use serde::{Deserialize, Serialize};

use super::value::at_least;

/// `[limits]`: the unit is part of each key's name; no key may be 0. RFC 6120 section 13.12 sets
/// the least for stanzas, RFC 7677 section 4 for iterations.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// The longest stanza from a client, in bytes. RFC 6120 requires at least 10,000.
    #[serde(deserialize_with = "at_least::<10_000, _, _>")]
    pub stanza_bytes: usize,
    /// The longest stanza from another server or a component, in bytes.
    #[serde(deserialize_with = "at_least::<10_000, _, _>")]
    pub server_stanza_bytes: usize,
    /// The longest element before a stream is authenticated, in bytes.
    #[serde(deserialize_with = "at_least::<4096, _, _>")]
    pub unauthenticated_bytes: usize,
    /// The depth of elements within a stanza.
    #[serde(deserialize_with = "at_least::<8, _, _>")]
    pub depth: usize,
    /// The attributes of one element.
    #[serde(deserialize_with = "at_least::<16, _, _>")]
    pub attributes: usize,
    /// The seconds a stream has to authenticate, from the connection on.
    #[serde(deserialize_with = "at_least::<1, _, _>")]
    pub authentication_seconds: u64,
    /// The failed authentications after which a stream is closed.
    #[serde(deserialize_with = "at_least::<1, _, _>")]
    pub authentication_attempts: u32,
    /// The bytes waiting to be written to one client before its stream is ended.
    #[serde(deserialize_with = "at_least::<{ 16 * 1024 }, _, _>")]
    pub queue_bytes: usize,
    /// The bytes waiting to be written to one server or component before senders are refused.
    #[serde(deserialize_with = "at_least::<{ 16 * 1024 }, _, _>")]
    pub server_queue_bytes: usize,
    /// The bytes waiting on all streams together, to be handled or written, not counting 4 KiB in
    /// each direction of each stream. The stream that holds most is closed first.
    #[serde(deserialize_with = "at_least::<{ 1024 * 1024 }, _, _>")]
    pub waiting_bytes: usize,
    /// The bytes read ahead from one stream while its stanzas wait to be handled.
    #[serde(deserialize_with = "at_least::<1024, _, _>")]
    pub read_ahead_bytes: usize,
    /// The average bytes per second read from one client; the rest is read later.
    #[serde(deserialize_with = "at_least::<1024, _, _>")]
    pub bytes_per_second: u32,
    /// The average stanzas per second read from one client.
    #[serde(deserialize_with = "at_least::<1, _, _>")]
    pub stanzas_per_second: u32,
    /// The average bytes per second read from one server or component.
    #[serde(deserialize_with = "at_least::<1024, _, _>")]
    pub server_bytes_per_second: u32,
    /// The average stanzas per second read from one server or component.
    #[serde(deserialize_with = "at_least::<1, _, _>")]
    pub server_stanzas_per_second: u32,
    /// The seconds' worth of bytes and stanzas that may be read at once after a pause.
    #[serde(deserialize_with = "at_least::<1, _, _>")]
    pub burst_seconds: u32,
    /// The seconds for which more than the rate may arrive before the stream is closed. Each second
    /// without excess takes back half a second.
    #[serde(deserialize_with = "at_least::<1, _, _>")]
    pub flood_seconds: u32,
    /// Connections at the same time, on all listeners together; at most nine tenths of the files that
    /// the system allows.
    #[serde(deserialize_with = "at_least::<1, _, _>")]
    pub connections: usize,
    /// Connections at the same time from one address; lowered in proportion to `connections`.
    #[serde(deserialize_with = "at_least::<1, _, _>")]
    pub connections_per_address: usize,
    /// The average connections per second that may begin from one address, `burst_seconds` of them
    /// at once. This machine's own addresses are exempt.
    #[serde(deserialize_with = "at_least::<1, _, _>")]
    pub connections_per_second: u32,
    /// Sessions at the same time for one account.
    #[serde(deserialize_with = "at_least::<1, _, _>")]
    pub sessions_per_account: usize,
    /// SASL PLAIN passwords checked at the same time; each check occupies a processor.
    #[serde(deserialize_with = "at_least::<1, _, _>")]
    pub password_checks: usize,
    /// Iterations of the hash when a password is set: the cost of one guess.
    #[serde(deserialize_with = "at_least::<4096, _, _>")]
    pub scram_iterations: u32,
    /// The seconds for handlers of `server-stopping` and open sessions to end.
    #[serde(deserialize_with = "at_least::<1, _, _>")]
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
