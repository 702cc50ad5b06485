//! Roles on a host, and the actions that require a role.

/// The role of a JID on a host. A greater role includes the permissions of all smaller ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Any JID that is not a user or an admin.
    Guest,
    /// A JID with a localpart and the host's domain; the account need not exist.
    User,
    /// A JID in the host's `admins`.
    Admin,
}

/// An action that requires a role. Modules declare their own actions.
///
/// ```
/// # use event_core::{Action, Role};
/// const ANNOUNCE: Action = Action::new("announce", Role::Admin);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Action {
    /// The name of the action.
    pub name: &'static str,
    /// The least role that may perform the action.
    pub role: Role,
}

impl Action {
    /// An action that requires at least `role`.
    pub const fn new(name: &'static str, role: Role) -> Self {
        Self { name, role }
    }
}
