//! `[limits]`: the resources that one peer may use.

use serde::{Deserialize, Serialize};

use super::value::at_least;

/// `[limits]`. The unit is part of each key's name, and no key may be 0. RFC 6120 section 13.12
/// sets the minimum for stanzas, RFC 7677 section 4 the minimum for iterations.
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
    /// The maximum depth of elements within a stanza.
    #[serde(deserialize_with = "at_least::<8, _, _>")]
    pub depth: usize,
    /// The maximum number of attributes of an element.
    #[serde(deserialize_with = "at_least::<16, _, _>")]
    pub attributes: usize,
    /// The seconds that a stream has to authenticate, from the connection on.
    #[serde(deserialize_with = "at_least::<1, _, _>")]
    pub authentication_seconds: u64,
    /// The failed authentications after which a stream is closed.
    #[serde(deserialize_with = "at_least::<1, _, _>")]
    pub authentication_attempts: u32,
    /// The bytes that may wait to be written to one client. Beyond that, its stream is closed.
    #[serde(deserialize_with = "at_least::<{ 16 * 1024 }, _, _>")]
    pub queue_bytes: usize,
    /// The bytes that may wait to be written to one server or component. Beyond that, stanzas for
    /// it are refused.
    #[serde(deserialize_with = "at_least::<{ 16 * 1024 }, _, _>")]
    pub server_queue_bytes: usize,
    /// The bytes that may wait on all streams together, to be handled or written. 4 KiB in each
    /// direction of each stream are not counted. Beyond that, the stream that holds most is closed.
    #[serde(deserialize_with = "at_least::<{ 1024 * 1024 }, _, _>")]
    pub waiting_bytes: usize,
    /// The bytes read ahead from one stream while its stanzas wait to be handled.
    #[serde(deserialize_with = "at_least::<1024, _, _>")]
    pub read_ahead_bytes: usize,
    /// The average bytes per second read from one client. Bytes above the rate are read later.
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
    /// After a pause, the bytes and stanzas of this number of seconds may be read at once.
    #[serde(deserialize_with = "at_least::<1, _, _>")]
    pub burst_seconds: u32,
    /// The seconds for which more than the rate may arrive before the stream is closed. Each second
    /// without excess subtracts half a second.
    #[serde(deserialize_with = "at_least::<1, _, _>")]
    pub flood_seconds: u32,
    /// Connections at the same time, on all listeners together; at most nine tenths of the open
    /// files that the kernel allows.
    #[serde(deserialize_with = "at_least::<1, _, _>")]
    pub connections: usize,
    /// Connections at the same time from one address. If the limit of open files lowers
    /// `connections`, this limit is lowered in proportion.
    #[serde(deserialize_with = "at_least::<1, _, _>")]
    pub connections_per_address: usize,
    /// The average number of new connections per second from one address. After a pause, those of
    /// `burst_seconds` may begin at once. The addresses of this machine are exempt.
    #[serde(deserialize_with = "at_least::<1, _, _>")]
    pub connections_per_second: u32,
    /// Sessions at the same time for one account.
    #[serde(deserialize_with = "at_least::<1, _, _>")]
    pub sessions_per_account: usize,
    /// SASL PLAIN passwords checked at the same time; each check occupies a processor.
    #[serde(deserialize_with = "at_least::<1, _, _>")]
    pub password_checks: usize,
    /// The iterations of the hash of a new password. They set the cost of each guess.
    #[serde(deserialize_with = "at_least::<4096, _, _>")]
    pub scram_iterations: u32,
    /// The seconds that handlers of `server-stopping` and open sessions have to end.
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
