//! The generations of accounts: numbers that change with the password.

use std::collections::HashMap;

use jid::BareJid;
use parking_lot::Mutex;

/// The number of changed accounts that are remembered one by one. A login lasts seconds, and each
/// change of a password takes some milliseconds of a processor, so more are not needed at a time.
const MAX_CHANGED: usize = 10_000;

/// The generations of all accounts since the start.
#[derive(Debug, Default)]
pub(super) struct Generations(Mutex<Numbers>);

#[derive(Debug, Default)]
struct Numbers {
    latest: u64,
    /// The generation of the accounts that are not in `changed`.
    others: u64,
    changed: HashMap<BareJid, u64>,
}

impl Generations {
    /// The generation of an account, whether or not the account exists.
    pub(super) fn of(&self, account: &BareJid) -> u64 {
        let numbers = self.0.lock();
        numbers.changed.get(account).copied().unwrap_or(numbers.others)
    }

    /// Begins a new generation of an account. When too many accounts have changed, begins one of
    /// all accounts, which refuses the logins under way once.
    pub(super) fn begin(&self, account: &BareJid) {
        let mut numbers = self.0.lock();
        numbers.latest += 1;
        let latest = numbers.latest;
        if numbers.changed.len() < MAX_CHANGED {
            numbers.changed.insert(account.clone(), latest);
        } else {
            *numbers = Numbers { latest, others: latest, changed: HashMap::new() };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_change_begins_a_generation_of_one_account() {
        let generations = Generations::default();
        let jid = |number: usize| BareJid::new(&format!("user{number}@example.com")).unwrap();
        let (before, other) = (generations.of(&jid(0)), generations.of(&jid(1)));
        generations.begin(&jid(0));
        let after = generations.of(&jid(0));
        assert_ne!(after, before);
        assert_eq!(generations.of(&jid(1)), other);
        for number in 2..MAX_CHANGED + 9 {
            let before = generations.of(&jid(number));
            generations.begin(&jid(number));
            assert_ne!(generations.of(&jid(number)), before);
        }
        assert!(generations.0.lock().changed.len() <= MAX_CHANGED);
        assert!(![before, after].contains(&generations.of(&jid(0))), "no number is used twice");
    }
}
