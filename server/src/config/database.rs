//! `[storage]`. A database's address usually contains a password.

use std::fmt;

use event_core::Secret;
use serde::{Deserialize, Serialize, Serializer};
use sqlx::postgres::PgConnectOptions;

use super::table::config_table;

config_table! {
    /// Where data is stored.
    #[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
    #[serde(deny_unknown_fields, default)]
    pub struct Storage {
        /// The PostgreSQL database. Its password is never shown. Default: an SQLite file in the
        /// data folder.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub url: Option<DatabaseUrl>,
    }
}

/// The address of a PostgreSQL database. Only host, port and database name are ever shown.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Secret")]
pub struct DatabaseUrl {
    url: Secret,
    shown: String,
}

impl TryFrom<Secret> for DatabaseUrl {
    /// What is wrong, without the address.
    type Error = &'static str;

    /// Reads `postgres://user:password@host:port/database`.
    fn try_from(url: Secret) -> Result<Self, &'static str> {
        let text = url.expose();
        if !text.starts_with("postgres://") && !text.starts_with("postgresql://") {
            return Err("expected postgres://user:password@host:port/database");
        }
        let options: PgConnectOptions =
            text.parse().map_err(|_| "not an address of a PostgreSQL database")?;
        let place = match options.get_socket() {
            Some(socket) => socket.display().to_string(),
            None => format!("{}:{}", options.get_host(), options.get_port()),
        };
        let database = options.get_database().unwrap_or(options.get_username());
        let shown = format!("postgres://{place}/{database}");
        Ok(Self { url, shown })
    }
}

impl DatabaseUrl {
    /// The address with its password, for connecting.
    pub(crate) fn expose(&self) -> &str {
        self.url.expose()
    }
}

impl fmt::Display for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown)
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("DatabaseUrl").field(&self.shown).finish()
    }
}

impl Serialize for DatabaseUrl {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.shown)
    }
}
