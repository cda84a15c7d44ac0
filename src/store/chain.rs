//! The chain through the journal: each line has, as `previous`, the SHA-256 of the line before it.
//!
//! To be exact, of everything before it from the last line on that has `previous`, that one included, without the last line end. So
//! the first line of a journal has the digest of nothing, and lines of a kpki that knew no chain are covered by the first
//! line behind them. What is changed, removed, inserted or put in another order later contradicts the next line's digest. The
//! digest has no key: whoever may write the file can write the chain anew.

use std::collections::HashSet;

use serde::Deserialize;

use crate::x509::certificate::hex;
use crate::x509::sha256;

#[derive(Deserialize)]
struct Link {
    previous: String,
}

/// What does not fit in a journal. Lines are counted from 1.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Faults {
    /// Lines whose `previous` is not the digest of what is before them.
    pub broken: Vec<usize>,
    /// Lines without `previous` behind one that has it, and empty ones.
    pub unchained: Vec<usize>,
    /// A line that is known to have been the last one once is not there.
    pub is_cut: bool,
}

/// Lower-case hexadecimal.
fn digest(bytes: &[u8]) -> String {
    hex(&sha256(bytes), "").to_lowercase()
}

fn previous(line: &[u8]) -> Option<String> {
    serde_json::from_slice::<Link>(line).ok().map(|link| link.previous)
}

fn without_end(text: &[u8]) -> &[u8] {
    text.strip_suffix(b"\n").unwrap_or(text)
}

/// The digest of a journal's last line; `None`: it has none.
pub(super) fn end(journal: &[u8]) -> Option<String> {
    let last = without_end(journal).rsplit(|byte| *byte == b'\n').next();
    last.filter(|_| !journal.is_empty()).map(digest)
}

/// The lines as they are appended to a journal. One that is no JSON object is not chained.
pub(super) fn chained(journal: &[u8], lines: &[String]) -> String {
    // What the next line is to have the digest of.
    let mut open = open(without_end(journal)).to_vec();
    let mut text = String::new();
    for line in lines {
        let chained = match line.strip_suffix('}') {
            Some(fields) => {
                let comma = if fields.ends_with('{') { "" } else { "," };
                format!("{fields}{comma}\"previous\":\"{}\"}}", digest(&open))
            }
            None => line.clone(),
        };
        if previous(chained.as_bytes()).is_some() {
            open.clear();
        } else if !open.is_empty() {
            open.push(b'\n');
        }
        open.extend(chained.bytes());
        text.push_str(&chained);
        text.push('\n');
    }
    text
}

/// The end of a journal from the last line on that has `previous`; all of it where none has.
fn open(journal: &[u8]) -> &[u8] {
    let mut start = journal.len();
    for line in journal.rsplit(|byte| *byte == b'\n') {
        start = start.saturating_sub(line.len());
        if previous(line).is_some() {
            return journal.get(start..).unwrap_or_default();
        }
        // Its line end, before which the next one stands.
        start = start.saturating_sub(1);
    }
    journal
}

/// Follows the chain. `known`: the digests of lines each of which was the last one once.
pub fn judge(journal: &[u8], known: &[String]) -> Faults {
    let mut faults = Faults::default();
    let mut missing: HashSet<&str> = known.iter().map(String::as_str).collect();
    // Where what the next line has the digest of begins, and where a line does.
    let (mut open, mut start, mut is_chained) = (0, 0, false);
    let lines = without_end(journal).split(|byte| *byte == b'\n');
    for (number, line) in
        lines.enumerate().filter(|_| !journal.is_empty()).map(|(at, line)| (at.saturating_add(1), line))
    {
        match previous(line) {
            Some(previous) => {
                let before = journal.get(open..start).map(without_end).unwrap_or_default();
                if previous != digest(before) {
                    faults.broken.push(number);
                }
                (open, is_chained) = (start, true);
            }
            // Before all others an empty line would be the digest of nothing.
            None if is_chained || line.is_empty() => faults.unchained.push(number),
            None => {}
        }
        if !missing.is_empty() {
            missing.remove(digest(line).as_str());
        }
        start = start.saturating_add(line.len()).saturating_add(1);
    }
    faults.is_cut = !missing.is_empty();
    faults
}

#[cfg(test)]
mod tests {
    use super::*;

    const OLD: &str = "{\"a\":1}\n{\"a\":2}\n";

    fn lines(all: &[&str]) -> Vec<String> {
        all.iter().map(|line| (*line).to_owned()).collect()
    }

    /// A journal with these lines appended, each in a commit of its own.
    fn grown(before: &str, all: &[&str]) -> String {
        let mut text = before.to_owned();
        for line in all {
            text = format!("{text}{}", chained(text.as_bytes(), &lines(&[line])));
        }
        text
    }

    fn broken(text: &str) -> (Vec<usize>, Vec<usize>) {
        let faults = judge(text.as_bytes(), &[]);
        (faults.broken, faults.unchained)
    }

    #[test]
    fn a_line_has_the_digest_of_the_line_before_without_its_end() {
        let text = grown("", &["{\"a\":1}", "{}"]);
        // sha256sum of nothing, and of the first line.
        let nothing = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        let first = format!("{{\"a\":1,\"previous\":\"{nothing}\"}}");
        assert_eq!(text, format!("{first}\n{{\"previous\":\"{}\"}}\n", digest(first.as_bytes())));
        // Two in one commit are as in two.
        assert_eq!(chained(b"", &lines(&["{\"a\":1}", "{}"])), text);
    }

    #[test]
    fn the_first_chained_line_covers_all_lines_before_it() {
        let text = grown(OLD, &["{\"a\":3}", "{\"a\":4}"]);
        assert!(text.contains(&digest(b"{\"a\":1}\n{\"a\":2}")), "{text}");
        assert_eq!(broken(&text), (vec![], vec![]));
        assert_eq!(broken(OLD), (vec![], vec![]));
        assert_eq!(broken(""), (vec![], vec![]));
        // Of a single line it is that line.
        let one = grown("{\"a\":1}\n", &["{\"a\":2}"]);
        assert!(one.contains(&digest(b"{\"a\":1}")), "{one}");
    }

    #[test]
    fn lines_are_appended_alike_in_one_commit_or_many_whatever_is_before_them() {
        for before in ["", OLD, "{\"a\":1}\ntorn", "\n", "\n\n", "torn", &grown(OLD, &["{\"b\":1}"])] {
            for all in [vec!["{\"c\":1}"], vec!["{\"c\":1}", "text", "more", "{\"c\":2}", "{\"c\":3}"]] {
                // As the store appends: the line of another program is ended first.
                let ended =
                    if before.is_empty() || before.ends_with('\n') { before.to_owned() } else { format!("{before}\n") };
                let (many, once) = (grown(&ended, &all), chained(before.as_bytes(), &lines(&all)));
                assert_eq!(format!("{ended}{once}"), many, "{before:?}");
                let (wrong, unchained) = broken(&many);
                let empty = many.lines().filter(|line| line.is_empty()).count();
                let text = if all.len() > 1 { 2 } else { 0 };
                assert_eq!((wrong, unchained.len()), (vec![], empty + text), "{before:?}");
            }
        }
    }

    #[test]
    fn every_change_of_a_line_shows_at_the_next_one() {
        let text = grown(OLD, &["{\"a\":3}", "{\"a\":4}", "{\"a\":5}", "{\"a\":6}"]);
        let all: Vec<&str> = text.lines().collect();
        let joined = |all: &[&str]| all.iter().flat_map(|line| [*line, "\n"]).collect::<String>();
        for at in 0..all.len() - 1 {
            let mut changed = all.clone();
            let other = all[at].replace("\"a\":", "\"b\":");
            changed[at] = &other;
            // Of old lines all are covered by the first that is chained.
            assert_eq!(broken(&joined(&changed)).0, [(at + 2).max(3)], "changed {at}");
            let mut removed = all.clone();
            removed.remove(at);
            assert_eq!(broken(&joined(&removed)).0, [(at + 1).max(2)], "removed {at}");
            let mut doubled = all.clone();
            doubled.insert(at, all[at]);
            assert!(!broken(&joined(&doubled)).0.is_empty(), "doubled {at}");
            let mut swapped = all.clone();
            swapped.swap(at, at + 1);
            assert!(!broken(&joined(&swapped)).0.is_empty(), "swapped {at}");
            let mut inserted = all.clone();
            inserted.insert(at + 1, "{\"a\":9}");
            let (wrong, unchained) = broken(&joined(&inserted));
            assert_eq!((wrong, unchained.len()), (vec![(at + 3).max(4)], usize::from(at >= 2)), "inserted {at}");
        }
        // An insertion before everything, and other line ends.
        assert_eq!(broken(&format!("\n{}", grown("", &["{}"]))), (vec![], vec![1]));
        assert_eq!(broken(&text.replace('\n', "\r\n")).0, [3, 4, 5, 6]);
    }

    #[test]
    fn a_line_of_an_older_kpki_is_named_and_covered_by_the_next() {
        let text = format!("{}{{\"a\":2}}\n{{\"a\":3}}\n", grown("", &["{\"a\":1}"]));
        assert_eq!(broken(&text), (vec![], vec![2, 3]));
        let text = grown(&text, &["{\"a\":4}"]);
        assert_eq!(broken(&text), (vec![], vec![2, 3]));
        assert_eq!(broken(&text.replace("\"a\":2", "\"a\":7")), (vec![4], vec![2, 3]));
        assert_eq!(broken(&text.replace("{\"a\":3}\n", "")), (vec![3], vec![2]));
    }

    #[test]
    fn lines_that_are_missing_at_the_end_show_where_the_last_one_is_known() {
        let text = grown(OLD, &["{\"a\":3}", "{\"a\":4}"]);
        let known = end(text.as_bytes()).unwrap();
        let cut = |text: &str| judge(text.as_bytes(), std::slice::from_ref(&known)).is_cut;
        assert!(!cut(&text) && !cut(&grown(&text, &["{\"a\":5}"])));
        let at = text.trim_end().rfind('\n').unwrap() + 1;
        assert!(cut(text.get(..at).unwrap()) && cut(text.get(..text.len() - 2).unwrap()) && cut(""));
        assert!(!judge(b"", &[]).is_cut);
        // What is appended later hides nothing: of all the ends that are known, each has to be there.
        let (_, later) = text.split_at(at);
        let ends = [end(b"{\"a\":2}\n").unwrap(), known.clone()];
        let all = |text: &str| judge(text.as_bytes(), &ends).is_cut;
        assert!(!all(&text) && all(&grown(text.get(..at).unwrap(), &["{\"a\":9}"])) && all(later));
        assert_eq!((end(b""), end(b"a\nb\n"), end(b"a\nb")), (None, Some(digest(b"b")), Some(digest(b"b"))));
    }
}
