//! Edit distance: optimal string alignment, in which a swap of two adjacent characters is one edit.

use alloc::{vec, vec::Vec};
use core::mem;

/// At most three candidates that resemble `word`, nearest first. ASCII case is ignored.
///
/// A candidate resembles `word` if there is one edit, if the edits are at most 40 % of the longer
/// one's characters, or if one begins with the other and both have at least three characters. Unless
/// one begins with the other, a candidate that needs at least two edits more than the nearest is left
/// out. Of candidates at the same distance, the one closest to `word` in length comes first.
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    let word = word.to_ascii_lowercase();
    let mut near: Vec<_> = candidates
        .into_iter()
        .filter_map(|candidate| {
            let other = candidate.to_ascii_lowercase();
            let (length, other_length) = (word.chars().count(), other.chars().count());
            let longer = length.max(other_length);
            let begins = length.min(other_length) >= 3
                && (word.starts_with(&other) || other.starts_with(&word));
            let limit = if begins { longer } else { (longer * 2 / 5).max(1) };
            Some((
                distance(&word, &other, limit)?,
                longer - length.min(other_length),
                begins,
                candidate,
            ))
        })
        .collect();
    near.sort_by_key(|&(edits, difference, ..)| (edits, difference));
    let least = near.first().map_or(0, |&(edits, ..)| edits);
    near.retain(|&(edits, _, begins, _)| begins || edits <= least + 1);
    near.truncate(3);
    near.into_iter().map(|(.., candidate)| candidate).collect()
}

/// The largest distance at which a namespace or an event is suggested for a name of `length`
/// characters.
pub(crate) const fn reasonable(length: usize) -> usize {
    match length {
        0..=3 => 1,
        4..=7 => 2,
        _ => 3,
    }
}

/// The number of edits between two words, unless it is above `limit`.
pub(crate) fn distance(a: &str, b: &str, limit: usize) -> Option<usize> {
    // Removing the common prefix and suffix is cheap and leaves little of a misspelt name.
    let same = a.chars().zip(b.chars()).take_while(|(x, y)| x == y).map(|(x, _)| x.len_utf8());
    let start: usize = same.sum();
    let (a, b) = (a.get(start..)?, b.get(start..)?);
    let same = a.chars().rev().zip(b.chars().rev()).take_while(|(x, y)| x == y);
    let end: usize = same.map(|(x, _)| x.len_utf8()).sum();
    let (a, b) = (a.get(..a.len() - end)?, b.get(..b.len() - end)?);
    let (a_count, b_count) = (a.chars().count(), b.chars().count());
    if a_count.abs_diff(b_count) > limit {
        return None;
    }
    if a_count == 0 || b_count == 0 {
        return Some(a_count.max(b_count));
    }
    Some(matrix(a, b)).filter(|&edits| edits <= limit)
}

/// The distance by dynamic programming, row by row.
fn matrix(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut two_above: Vec<usize> = Vec::new();
    let mut above: Vec<usize> = (0..=b.len()).collect();
    let mut x_above = None;
    for (row, x) in (1_usize..).zip(a.chars()) {
        let mut current = vec![row];
        let mut left = row;
        let mut y_left = None;
        // From the second column on, the cell two up and two to the left.
        let mut corners = two_above.iter();
        for ((&diagonal, &up), &y) in above.iter().zip(above.iter().skip(1)).zip(&b) {
            let mut cell = (left + 1).min(up + 1).min(diagonal + usize::from(x != y));
            if y_left.is_some()
                && let Some(&corner) = corners.next()
                && y_left == Some(x)
                && x_above == Some(y)
            {
                cell = cell.min(corner + 1);
            }
            y_left = Some(y);
            left = cell;
            current.push(cell);
        }
        x_above = Some(x);
        two_above = mem::replace(&mut above, current);
    }
    above.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::{distance, nearest};

    #[test]
    fn the_distance_is_the_number_of_edits() {
        for (a, b, edits) in [
            ("", "", 0),
            ("", "abc", 3),
            ("bare", "bare", 0),
            ("bar", "bare", 1),
            ("bbare", "bare", 1),
            ("bale", "bare", 1),
            ("bera", "bare", 2),
            ("abre", "bare", 1),
            ("baer", "bare", 1),
            ("ca", "abc", 3),
            ("intial", "initial", 1),
            ("größe", "grosse", 3),
        ] {
            assert_eq!(distance(a, b, 9), Some(edits), "{a} {b}");
            assert_eq!(distance(b, a, 9), Some(edits), "{b} {a}");
            assert_eq!(distance(a, b, edits), Some(edits), "{a} {b}");
            if edits > 0 {
                assert_eq!(distance(a, b, edits - 1), None, "{a} {b}");
            }
        }
    }

    #[test]
    fn nearest_candidates_come_first_and_distant_ones_are_left_out() {
        let options = ["priority", "namespace", "name", "after"];
        assert_eq!(nearest("prority", options), ["priority"]);
        assert_eq!(nearest("nmae", options), ["name"]);
        assert!(nearest("colour", options).is_empty());
        assert_eq!(nearest("ab", ["abc", "b", "a", "ab", "abcd"]), ["ab", "abc", "b"]);
        assert_eq!(nearest("PRIORITIES", options), ["priority"]);
        assert_eq!(nearest("Nam", options), ["name", "namespace"]);
        assert_eq!(nearest("aftermath", options), ["after"]);
        assert!(nearest("na", ["namespace"]).is_empty());
    }
}
