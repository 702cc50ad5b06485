//! `[limits]`: the resources that one peer may use.

use serde::{Deserialize, Serialize};

use super::table::config_table;
use super::value::at_least;

config_table! {
    /// The limits for one peer, and what happens to a peer that exceeds them;
    /// [limits.md](limits.md) explains how they work together. No limit may be 0. A reload applies
    /// limits on connections at once, and all others to new connections.
    #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
    #[serde(deny_unknown_fields, default)]
    pub struct Limits {
        /// The longest stanza from a client (RFC 6120 §13.12). A longer one closes the stream,
        /// `policy-violation`.
        #[serde(deserialize_with = "at_least::<10_000, _, _>")]
        pub stanza_bytes: usize,
        /// The longest stanza from another server or a component. A longer one closes the stream,
        /// `policy-violation`.
        #[serde(deserialize_with = "at_least::<10_000, _, _>")]
        pub server_stanza_bytes: usize,
        /// The longest element before a stream is authenticated. A longer one closes the stream,
        /// `policy-violation`.
        #[serde(deserialize_with = "at_least::<4096, _, _>")]
        pub unauthenticated_bytes: usize,
        /// The maximum depth of elements within a stanza. A deeper stanza closes the stream,
        /// `policy-violation`.
        #[serde(deserialize_with = "at_least::<8, _, _>")]
        pub depth: usize,
        /// The maximum number of attributes of one element. More of them close the stream,
        /// `policy-violation`.
        #[serde(deserialize_with = "at_least::<16, _, _>")]
        pub attributes: usize,
        /// The time from the connection within which a stream must authenticate. Otherwise it is
        /// closed, `connection-timeout`.
        #[serde(deserialize_with = "at_least::<1, _, _>")]
        pub authentication_seconds: u64,
        /// The number of wrong passwords after which a stream is closed, `policy-violation`.
        /// Attempts in which no password is checked have a limit of their own, 12 on a stream.
        #[serde(deserialize_with = "at_least::<1, _, _>")]
        pub authentication_attempts: u32,
        /// The output that others may leave to be written to one client: one sender a part of it,
        /// the senders of another domain more, but not all. Beyond this, messages are stored or
        /// refused, and other stanzas are refused.
        #[serde(deserialize_with = "at_least::<{ 16 * 1024 }, _, _>")]
        pub queue_bytes: usize,
        /// The stream of a client that takes nothing for this long, while more is sent than may
        /// wait, is closed, `policy-violation`.
        #[serde(deserialize_with = "at_least::<1, _, _>")]
        pub unread_seconds: u16,
        /// The output that may wait to be written to one server or component. Beyond this, senders
        /// get errors.
        #[serde(deserialize_with = "at_least::<{ 16 * 1024 }, _, _>")]
        pub server_queue_bytes: usize,
        /// The input and output that may wait on all established streams together, not counting
        /// 64 KiB of each. Beyond this, the stream of the client with the most waiting bytes is
        /// closed, `resource-constraint`.
        #[serde(deserialize_with = "at_least::<{ 1024 * 1024 }, _, _>")]
        pub waiting_bytes: usize,
        /// The input and output that may wait on all streams together that have no bound resource
        /// and no proved domain, not counting 4 KiB in each direction of each. Beyond this, the
        /// stream with the most waiting bytes is closed, `resource-constraint`.
        #[serde(deserialize_with = "at_least::<{ 64 * 1024 }, _, _>")]
        pub unauthenticated_waiting_bytes: usize,
        /// The input that is read ahead from one stream while its stanzas wait to be handled. The
        /// rest is read later.
        #[serde(deserialize_with = "at_least::<1024, _, _>")]
        pub read_ahead_bytes: usize,
        /// The average rate at which one client is read, including TLS: each of its records counts at
        /// least 64 bytes. The rest is read later.
        #[serde(deserialize_with = "at_least::<1024, _, _>")]
        pub bytes_per_second: u32,
        /// The average rate of stanzas from one client. The rest is read later.
        #[serde(deserialize_with = "at_least::<1, _, _>")]
        pub stanzas_per_second: u32,
        /// The average rate at which one server or component is read. The rest is read later.
        #[serde(deserialize_with = "at_least::<1024, _, _>")]
        pub server_bytes_per_second: u32,
        /// The average rate of stanzas from one server or component. The rest is read later.
        #[serde(deserialize_with = "at_least::<1, _, _>")]
        pub server_stanzas_per_second: u32,
        /// After a pause, as much input as the rate limits allow in this many seconds is read at
        /// once.
        #[serde(deserialize_with = "at_least::<1, _, _>")]
        pub burst_seconds: u32,
        /// How long in total the rate limits may delay a peer; each second restores half a second.
        /// The stream of a peer that always sends too much is therefore closed after twice this
        /// time, `policy-violation`.
        #[serde(deserialize_with = "at_least::<1, _, _>")]
        pub flood_seconds: u32,
        /// Connections at the same time, on all listeners together; fewer if the system
        /// allows too few files. One more is refused, `resource-constraint`.
        #[serde(deserialize_with = "at_least::<1, _, _>")]
        pub connections: usize,
        /// Connections at the same time from one address; lowered in proportion to `connections`.
        /// One more is refused, `policy-violation`.
        #[serde(deserialize_with = "at_least::<1, _, _>")]
        pub connections_per_address: usize,
        /// The average rate of new connections from one address, `burst_seconds` of them at once.
        /// An address that exceeds it is refused for a while, `policy-violation`. This machine's
        /// own addresses are exempt.
        #[serde(deserialize_with = "at_least::<1, _, _>")]
        pub connections_per_second: u32,
        /// Sessions at the same time for one account. One more gets an error when it binds a
        /// resource.
        #[serde(deserialize_with = "at_least::<1, _, _>")]
        pub sessions_per_account: usize,
        /// SASL PLAIN passwords checked at the same time; each check occupies a processor, the
        /// others wait. Default: one for each processor.
        #[serde(deserialize_with = "at_least::<1, _, _>")]
        pub password_checks: usize,
        /// Iterations of the hash when a password is set (RFC 7677 §4). They determine the cost of
        /// one guess.
        #[serde(deserialize_with = "at_least::<4096, _, _>")]
        pub scram_iterations: u32,
        /// The time that the server waits, when it stops, for handlers of `server-stopping` and for
        /// open sessions to end.
        #[serde(deserialize_with = "at_least::<1, _, _>")]
        pub stop_seconds: u64,
    }
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
            unread_seconds: 60,
            server_queue_bytes: 8 * 1024 * 1024,
            waiting_bytes: 128 * 1024 * 1024,
            unauthenticated_waiting_bytes: 16 * 1024 * 1024,
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
