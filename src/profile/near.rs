//! "Did you mean": the candidate nearest to a mistyped word.

/// Longer words are no mistyped ones, and the distance takes quadratic time.
const LONGEST_WORD: usize = 48;

/// The candidate with the smallest edit distance, if it is small enough for its length; letter case counts for nothing.
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    within(word, candidates, 4)
}

/// The same for candidates that do harm if they were not meant: one slip of the fingers away.
pub fn one_slip_from<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    within(word, candidates, 1)
}

fn within<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>, most: usize) -> Option<&'a str> {
    let word: Vec<char> = word.chars().take(LONGEST_WORD + 1).flat_map(char::to_lowercase).collect();
    if word.is_empty() || word.len() > LONGEST_WORD {
        return None;
    }
    candidates
        .into_iter()
        .filter_map(|candidate| {
            let letters: Vec<char> = candidate.chars().flat_map(char::to_lowercase).collect();
            let allowed = (word.len().max(letters.len()) / 3).clamp(1, most);
            let distance = distance(&word, &letters);
            // A word of which nothing remains is not a near one: `C` for `L`.
            (distance <= allowed && distance < word.len().min(letters.len())).then_some((distance, candidate))
        })
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// Optimal string alignment: insertions, deletions, substitutions and swaps of neighbours.
fn distance(a: &[char], b: &[char]) -> usize {
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    let mut a_before = None;
    for (i, x) in a.iter().enumerate() {
        let mut row = Vec::with_capacity(b.len() + 1);
        let mut left = i + 1;
        row.push(left);
        let mut b_before = None;
        for (j, y) in b.iter().enumerate() {
            let diagonal = last.get(j).copied().unwrap_or(0);
            let above = last.get(j + 1).copied().unwrap_or(0);
            let mut cell = (diagonal + usize::from(x != y)).min(above + 1).min(left + 1);
            if a_before == Some(y)
                && b_before == Some(x)
                && let Some(swapped) = j.checked_sub(1).and_then(|k| before.get(k))
            {
                cell = cell.min(swapped + 1);
            }
            row.push(cell);
            left = cell;
            b_before = Some(y);
        }
        before = std::mem::replace(&mut last, row);
        a_before = Some(x);
    }
    last.last().copied().unwrap_or(a.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_candidate_wins() {
        let names = ["apiserver", "apiserver-kubelet-client", "etcd-server", "etcd-peer", "sa"];
        for (word, near) in [
            ("apisrver", Some("apiserver")),
            ("apiserevr", Some("apiserver")),
            ("ETCD-PEER", Some("etcd-peer")),
            ("etcd-sever", Some("etcd-server")),
            ("kubernetes", None),
            ("", None),
            ("x", None),
        ] {
            assert_eq!(nearest(word, names), near, "{word}");
        }
        assert_eq!(nearest(&"a".repeat(1_000_000), names), None);
    }

    #[test]
    fn what_does_harm_is_one_slip_away() {
        for (word, near) in [("revok", Some("revoke")), ("reovke", Some("revoke")), ("invoke", None), ("rotae", None)] {
            assert_eq!(one_slip_from(word, ["revoke", "restore"]), near, "{word}");
        }
    }

    #[test]
    fn distances_are_optimal_string_alignments() {
        for (a, b, expected) in
            [("", "abc", 3), ("abc", "", 3), ("abc", "acb", 1), ("kitten", "sitting", 3), ("ca", "abc", 3)]
        {
            let (a, b): (Vec<_>, Vec<_>) = (a.chars().collect(), b.chars().collect());
            assert_eq!(distance(&a, &b), expected);
        }
    }
}
