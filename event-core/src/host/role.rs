//! Roles on a host, and the actions that need one.

/// What somebody is to a host; who is more may do more.

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Anybody.
    Guest,
    /// An account of the host.
    User,
    /// Listed under `admins`.
    Admin,
}

/// Something that not everybody may do. A module declares its own.
///
/// ```
/// # use event_core::{Action, host::Role};
/// const ANNOUNCE: Action = Action::new("announce", Role::Admin);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Action {
    /// Its name.
    pub name: &'static str,
    /// Who may do it.
    pub role: Role,
}

impl Action {
    /// An action that needs at least `role`.
    pub const fn new(name: &'static str, role: Role) -> Self {
        Self { name, role }
    }
}
