//! The man pages as they are rendered: mandoc has nothing against them, and every example stands there as it is typed.

use crate::support::{kpki, program, run, scratch};

/// The commands below `Examples:`, as `kpki generate man` has them: between `.nf` and `.fi` of the section.
fn examples(roff: &str) -> Vec<String> {
    let section = roff.split(".SH EXAMPLES\n").nth(1).unwrap_or_default();
    let section = section.split("\n.SH ").next().unwrap();
    let plain = |line: &str| {
        let line = line.strip_prefix("\\&").unwrap_or(line).replace("\\-", "-").replace("\\(aq", "'");
        line.replace("\\(ga", "`").replace("\\(ha", "^").replace("\\(ti", "~").replace("\\e", "\\")
    };
    let blocks = section.split(".nf\n").skip(1).map(|block| block.split("\n.fi").next().unwrap());
    blocks.flat_map(|block| block.lines().map(plain)).collect()
}

/// Without overstriking and escape sequences.
fn plain(text: &str) -> String {
    let mut plain = String::new();
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            '\u{8}' => {
                plain.pop();
            }
            '\u{1b}' => {
                chars.by_ref().find(char::is_ascii_alphabetic);
            }
            c => plain.push(c),
        }
    }
    plain
}

#[test]
fn man_pages_are_right_and_their_examples_can_be_pasted() {
    let dir = scratch();
    let names = run(kpki().args(["generate", "man"])).expect_ok("names").out;
    let mut seen = 0;
    for name in names.lines() {
        let roff = run(kpki().args(["generate", "man", name])).expect_ok(name).out;
        let file = dir.path().join(name);
        std::fs::write(&file, &roff).unwrap();
        let lint = program("mandoc").args(["-Tlint", "-Wwarning"]).arg(&file).output().unwrap();
        // The same source gives the same page, on whatever day.
        let said = String::from_utf8_lossy(&lint.stdout).into_owned();
        let said: Vec<&str> = said.lines().filter(|line| !line.contains("missing date")).collect();
        assert!(said.is_empty(), "{name}: {said:?}");
        let examples = examples(&roff);
        // What the help shows, word for word.
        if name.ends_with(".1") {
            let verb: Vec<&str> = name.strip_suffix(".1").unwrap().split('-').skip(1).collect();
            let help = help(&verb);
            for example in &examples {
                assert!(
                    help.lines().any(|line| line.trim().split("   ").next() == Some(example)),
                    "{name}: {example}\n{help}"
                );
            }
        }
        for columns in ["60", "80", "120"] {
            let width = format!("width={columns}");
            let length = format!("-rLL={columns}n");
            let pages = [
                run(program("mandoc").args(["-Tutf8", "-O", &width]).arg(&file)).expect_ok(name).out,
                run(program("groff").args(["-man", "-Tutf8", &length]).arg(&file)).expect_ok(name).out,
            ];
            for page in pages.map(|page| plain(&page)) {
                let lines: Vec<&str> = page.lines().map(str::trim).collect();
                for example in &examples {
                    assert!(lines.contains(&example.as_str()), "{name} at {columns}: {example}\n{page}");
                }
            }
        }
        seen += examples.len();
    }
    assert!(seen > 150, "{seen}");
}

/// `check-expiration` and `import-cfssl` have a hyphen of their own: words are joined until there is such a verb.
fn help(words: &[&str]) -> String {
    let mut tries = vec![words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>()];
    tries.extend((1..words.len()).map(|at| {
        let (before, after) = words.split_at(at - 1);
        let joined = after[..2].join("-");
        before
            .iter()
            .map(|word| (*word).to_owned())
            .chain([joined])
            .chain(after[2..].iter().map(|w| (*w).to_owned()))
            .collect()
    }));
    for words in tries {
        // Narrow, so that each comment is below its command.
        let output = kpki().args(words).arg("--help").env("COLUMNS", "40").output().unwrap();
        if output.status.success() {
            return String::from_utf8(output.stdout).unwrap();
        }
    }
    panic!("no help for {words:?}");
}
