//! The bands of priorities on the post-routing stanza events.

use core::fmt;

/// A range of priorities of a post-routing stanza event, and what handlers in it do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Band {
    /// Drops or changes stanzas before most handlers see them.
    Filter,
    /// Changes, drops or answers stanzas.
    Process,
    /// Reads stanzas that are going to be delivered.
    Observe,
    /// Delivers stanzas to the session.
    Deliver,
}

/// The ranges of all bands, for the message about a priority outside them.
pub const PRIORITY_RANGES: &str = "-1, 0, 1 to 999, 1000 and more";

/// The band of `priority` on a post-routing stanza event; `None` below -1.
#[must_use]
pub const fn band(priority: i32) -> Option<Band> {
    match priority {
        1000.. => Some(Band::Filter),
        1..=999 => Some(Band::Process),
        0 => Some(Band::Observe),
        -1 => Some(Band::Deliver),
        _ => None,
    }
}

impl Band {
    /// Every band, in the order in which the bands run.
    pub const ALL: [Self; 4] = [Self::Filter, Self::Process, Self::Observe, Self::Deliver];

    /// The range of this band, in words.
    #[must_use]
    pub const fn priorities(self) -> &'static str {
        match self {
            Self::Filter => "1000 and more",
            Self::Process => "1 to 999",
            Self::Observe => "0",
            Self::Deliver => "-1",
        }
    }

    /// What a handler in this band does, as the end of "handlers at … may".
    #[must_use]
    pub const fn purpose(self) -> &'static str {
        match self {
            Self::Filter => "drop or change stanzas before most handlers see them",
            Self::Process => "change, drop or answer stanzas",
            Self::Observe => "read stanzas that are going to be delivered",
            Self::Deliver => "deliver stanzas to the session",
        }
    }

    /// The name of the band.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Filter => "filter",
            Self::Process => "process",
            Self::Observe => "observe",
            Self::Deliver => "deliver",
        }
    }

    /// Whether a handler in this band may change or stop the stanza.
    #[must_use]
    pub const fn may_modify(self) -> bool {
        !matches!(self, Self::Observe)
    }
}

impl fmt::Display for Band {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::{Band, band};

    #[test]
    fn every_priority_from_minus_one_up_has_a_band() {
        assert_eq!(band(i32::MAX), Some(Band::Filter));
        assert_eq!(band(1000), Some(Band::Filter));
        assert_eq!(band(999), Some(Band::Process));
        assert_eq!(band(1), Some(Band::Process));
        assert_eq!(band(0), Some(Band::Observe));
        assert_eq!(band(-1), Some(Band::Deliver));
        assert_eq!(band(-2), None);
        assert_eq!(band(i32::MIN), None);
    }
}
