//! The address of a database, which has a password in it more often than not.

use std::fmt;

use serde::{Serialize, Serializer};
use sqlx::postgres::PgConnectOptions;

use super::Secret;

/// The address of a PostgreSQL database. What is shown of it is where it is, and no more.
#[derive(Clone, PartialEq, Eq)]
pub struct DatabaseUrl {
    url: Secret,
    shown: String,
}

impl DatabaseUrl {
    /// Reads `postgres://user:password@host:port/database`.
    ///
    /// # Errors
    ///
    /// What is wrong with it, without repeating it.
    pub fn parse(url: Secret) -> Result<Self, &'static str> {
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
