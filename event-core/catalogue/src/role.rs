//! What a priority means on the post-routing stanza events.

use core::fmt;

/// What a handler of a post-routing stanza event is there for, decided by its priority.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Role {
    /// Drops or changes stanzas before most handlers see them.
    Filter,
    /// Changes, drops or answers stanzas.
    Process,
    /// Reads stanzas that are going to be delivered.
    Observe,
    /// Delivers stanzas to the session.
    Deliver,
}

/// The priorities that have a role, for messages about one that has none.
pub const PRIORITY_RANGES: &str = "-1, 0, 1 to 999, 1000 and more";

/// The role of `priority` on a post-routing stanza event; `None` below -1.
#[must_use]
pub const fn role(priority: i32) -> Option<Role> {
    match priority {
        1000.. => Some(Role::Filter),
        1..=999 => Some(Role::Process),
        0 => Some(Role::Observe),
        -1 => Some(Role::Deliver),
        _ => None,
    }
}

impl Role {
    /// Every role, in the order in which they run.
    pub const ALL: [Self; 4] = [Self::Filter, Self::Process, Self::Observe, Self::Deliver];

    /// The priorities of this role, in words.
    #[must_use]
    pub const fn priorities(self) -> &'static str {
        match self {
            Self::Filter => "1000 and more",
            Self::Process => "1 to 999",
            Self::Observe => "0",
            Self::Deliver => "-1",
        }
    }

    /// What a handler with this role does, as the end of "handlers at … may".
    #[must_use]
    pub const fn purpose(self) -> &'static str {
        match self {
            Self::Filter => "drop or change stanzas before most handlers see them",
            Self::Process => "change, drop or answer stanzas",
            Self::Observe => "read stanzas that are going to be delivered",
            Self::Deliver => "deliver stanzas to the session",
        }
    }

    /// The name of the role.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Filter => "filter",
            Self::Process => "process",
            Self::Observe => "observe",
            Self::Deliver => "deliver",
        }
    }

    /// Whether a handler with this role may change or stop the stanza.
    #[must_use]
    pub const fn may_modify(self) -> bool {
        !matches!(self, Self::Observe)
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::{Role, role};

    #[test]
    fn the_ranges_meet_and_end_below_minus_one() {
        assert_eq!(role(i32::MAX), Some(Role::Filter));
        assert_eq!(role(1000), Some(Role::Filter));
        assert_eq!(role(999), Some(Role::Process));
        assert_eq!(role(1), Some(Role::Process));
        assert_eq!(role(0), Some(Role::Observe));
        assert_eq!(role(-1), Some(Role::Deliver));
        assert_eq!(role(-2), None);
        assert_eq!(role(i32::MIN), None);
    }
}
