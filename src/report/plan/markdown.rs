//! For a comment on a merge request: GitHub's and GitLab's Markdown, escaped, and no longer than a comment may be.

use std::io::{self, Write};

use super::document::{Cluster, Outcome, Plan};
use super::{groups, table};
use crate::report::is_harmless;
use crate::report::table::counted;

/// A comment on GitHub has 65,536 characters at the most, one on GitLab 1,000,000. Counted in bytes, which are never fewer; the
/// rest is for what a job puts around it.
const LARGEST: usize = 60_000;
/// Of these, for the table of clusters.
const FOR_ROWS: usize = 20_000;
/// For the changes of one cluster, so that one does not hide the others.
const FOR_ONE: usize = 6_000;
/// The longest text of one cell or line, in characters.
const LONGEST: usize = 400;

const HEADER: &str = "| cluster | plan | profile | make | renew | CRLs | left |\n|---|---|---|--:|--:|--:|--:|\n";

/// A text as code: no Markdown, no mention, no link, whatever is in it. Every character that may mean something there is written
/// as a reference, and one that steers a reader as its code.
fn code(text: &str) -> String {
    let mut escaped = String::from("<code>");
    for c in text.chars().take(LONGEST).flat_map(shown) {
        match c {
            c if c.is_ascii_alphanumeric() || " -/,=()".contains(c) || !c.is_ascii() => escaped.push(c),
            c => escaped.push_str(&format!("&#{};", u32::from(c))),
        }
    }
    if text.chars().nth(LONGEST).is_some() {
        escaped.push('…');
    }
    escaped + "</code>"
}

fn shown(c: char) -> Vec<char> {
    if is_harmless(c.encode_utf8(&mut [0; 4])) { vec![c] } else { c.escape_unicode().collect() }
}

/// What fits, and how many pieces did not.
struct Page {
    text: String,
    cut: usize,
}

impl Page {
    /// Behind the first piece that did not fit none is made any more.
    fn add(&mut self, piece: impl FnOnce() -> String, largest: usize) {
        let made = (self.cut == 0).then(piece);
        match made.filter(|piece| self.text.len().saturating_add(piece.len()) <= largest) {
            Some(piece) => self.text.push_str(&piece),
            None => self.cut = self.cut.saturating_add(1),
        }
    }
}

impl Plan {
    /// Those that cannot be done come first: what is cut is the least of it.
    pub fn markdown(&self, out: &mut dyn Write) -> io::Result<()> {
        let mut clusters: Vec<&Cluster> = self.clusters.iter().filter(|one| one.is_told()).collect();
        clusters.sort_by_key(|one| std::cmp::Reverse(one.outcome));
        let mut page = Page { text: format!("### kpki plan\n\n**{}**\n", table::verdict(self)), cut: 0 };
        if !clusters.is_empty() {
            page.text.push('\n');
            page.text.push_str(HEADER);
        }
        for cluster in &clusters {
            let row = || {
                let [name, words @ ..] = table::row(cluster);
                format!("| {} | {} |\n", code(&name), words.join(" | "))
            };
            page.add(row, FOR_ROWS);
        }
        let rows = std::mem::take(&mut page.cut);
        for cluster in &clusters {
            page.add(|| details(cluster), LARGEST);
        }
        let cut = rows.max(page.cut);
        if cut > 0 {
            page.text.push_str(&format!(
                "\n**Cut**, because a comment cannot be longer: {} of the {} have no row in the table, {} no list of changes. The \
                 whole plan: {}\n",
                rows,
                counted(clusters.len(), "cluster"),
                page.cut,
                code(&self.command)
            ));
        }
        out.write_all(page.text.as_bytes())
    }
}

fn details(cluster: &Cluster) -> String {
    let open = if cluster.outcome > Outcome::Changes { " open" } else { "" };
    let mut page = Page { text: String::new(), cut: 0 };
    for one in groups::lines(cluster, false) {
        let line = || {
            let parts = [one.what, one.why].into_iter().filter(|text| !text.is_empty()).map(|text| code(&text));
            format!("- {} {}\n", one.action, parts.collect::<Vec<_>>().join(": "))
        };
        page.add(line, FOR_ONE);
    }
    if page.cut > 0 {
        page.text.push_str(&format!("- and {} that are not shown here\n", counted(page.cut, "line")));
    }
    format!("\n<details{open}><summary>{}</summary>\n\n{}\n</details>\n", code(&table::heading(cluster)), page.text)
}

#[cfg(test)]
mod tests {
    use super::super::document::{Action, Change, ProfileState, Verb};
    use super::*;
    use crate::tree::EntryId;
    use time::macros::datetime;

    const HOSTILE: [&str; 9] = [
        "a|b",
        "`x` ``` ~~~",
        "</code></details><script>alert(1)</script>",
        "a\n\n# b\r\n- c",
        "\u{1b}[31m\u{202e}txt.exe\u{2066}",
        "@everyone #1 !2 user@example.com",
        "![](https://evil.example/x.png) [a](javascript:x) www.evil.example",
        "*a* _b_ \\| &lt; &#124;",
        "-->",
    ];

    fn cluster(name: &str, reasons: usize) -> Cluster {
        let change = |index: usize| Change {
            action: Action::Renew,
            id: EntryId::new(Some("cp1"), name),
            verb: Verb::Renew,
            reasons: vec![format!("{name} {index}")],
            names_added: Vec::new(),
            names_removed: Vec::new(),
        };
        Cluster {
            name: name.to_owned(),
            directory: format!("state/{name}"),
            profile: ProfileState::Changed,
            changes: (0..reasons).map(change).collect(),
            ..Cluster::default()
        }
    }

    fn page(clusters: Vec<Cluster>) -> String {
        let plan = Plan::new(datetime!(2026-11-20 22:00 UTC), clusters, "kpki plan --profiles p".to_owned());
        let mut text = Vec::new();
        plan.markdown(&mut text).unwrap();
        String::from_utf8(text).unwrap()
    }

    #[test]
    fn no_text_leaves_its_place() {
        for hostile in HOSTILE {
            let text = page(vec![cluster(hostile, 1)]);
            let plain = page(vec![cluster("plain", 1)]);
            // Nothing but letters and references stands where the name of a harmless cluster stands.
            let is_letter = |c: char| c.is_ascii_alphanumeric() || " -/,=().&#;:".contains(c) || !c.is_ascii();
            let outside = |text: &str| -> Vec<String> {
                text.split("<code>")
                    .map(|part| part.split_once("</code>").map_or(part, |(_, rest)| rest).to_owned())
                    .collect()
            };
            assert_eq!(outside(&text), outside(&plain), "{text}");
            for inside in text.split("<code>").skip(1).filter_map(|part| part.split_once("</code>")) {
                assert!(inside.0.chars().all(is_letter), "{}", inside.0);
                assert!(is_harmless(inside.0), "{}", inside.0);
            }
            assert_eq!(text.lines().count(), plain.lines().count(), "{text}");
        }
        assert_eq!(code("a|b\u{202e}"), "<code>a&#124;b&#92;u&#123;202e&#125;</code>");
    }

    #[test]
    fn it_is_no_longer_than_a_comment_and_says_what_was_cut() {
        for (clusters, reasons) in [(1, 10_000), (5000, 1), (300, 300), (40, 2)] {
            let long = |index| cluster(&format!("{}{index:05}", "é|".repeat(200)), reasons);
            let text = page((0..clusters).map(long).collect());
            assert!(text.chars().count() < 65_536, "{}", text.chars().count());
            assert!(text.contains("not shown here") || text.contains("**Cut**"), "{clusters} {reasons}");
        }
        let small = page(vec![cluster("a", 2), cluster("b", 1)]);
        assert!(!small.contains("Cut") && small.contains("**2 of 2 clusters would change**"), "{small}");
    }

    #[test]
    fn what_cannot_be_done_comes_first() {
        let refused = Cluster { profile: ProfileState::Wrong, ..cluster("z", 1) };
        let mut all: Vec<Cluster> = (0..5000).map(|index| cluster(&format!("a{index}"), 1)).collect();
        all.push(refused);
        let text = page(all);
        let at = |what: &str| text.find(what).unwrap_or(usize::MAX);
        assert!(at("<code>z</code>") < at("<code>a0</code>"), "{text}");
        // Nothing to do is not listed.
        let idle = Cluster { profile: ProfileState::Same, changes: Vec::new(), ..cluster("idle", 0) };
        assert_eq!(page(vec![idle]), "### kpki plan\n\n**0 of 1 cluster would change; 1 with nothing to do**\n");
    }
}
