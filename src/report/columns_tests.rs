use super::*;

fn arranged(width: Option<u16>, optional: &[&str], rows: &[[&str; 3]]) -> String {
    let rows: Vec<Vec<String>> = rows.iter().map(|row| row.map(str::to_owned).to_vec()).collect();
    let arranged = Layout::new(&["ID", "NAMES", "WHY"], optional, width).arrange(&rows);
    let lines = arranged.header.into_iter().chain(arranged.rows.into_iter().flatten());
    lines.chain(left_out(&arranged.left_out)).collect::<Vec<_>>().join("\n")
}

#[test]
fn cells_are_broken_then_columns_left_out_then_rows_stacked() {
    let rows = [["cp1/apiserver", "one two three", "because"], ["b", "", "it is due"]];
    for (width, optional, expected) in [
        (
            None,
            &["NAMES"][..],
            "ID             NAMES          WHY\n\
             cp1/apiserver  one two three  because\n\
             b                             it is due",
        ),
        (
            Some(32),
            &["NAMES"],
            "ID             NAMES    WHY\n\
             cp1/apiserver  one two  because\n               three\n\
             b                       it is\n                        due",
        ),
        (
            Some(25),
            &["NAMES"],
            "ID             WHY\n\
             cp1/apiserver  because\n\
             b              it is due\n\
             (no room for NAMES: a wider terminal or -o wide shows it)",
        ),
        (
            Some(16),
            &["NAMES"],
            "cp1/apiserver\n  NAMES  one two\n         three\n  WHY    because\n\
             b\n  WHY    it is\n         due",
        ),
        (
            Some(8),
            &[],
            "cp1/apiserver\n  NAMES\n    one\n    two\n    three\n  WHY\n    because\nb\n  WHY\n    it\n    is\n    due",
        ),
    ] {
        assert_eq!(arranged(width, optional, &rows), expected, "{width:?}");
    }
}

#[test]
fn wide_characters_keep_columns_straight() {
    let rows = [["名前", "a", "x"], ["e\u{301}", "b", "y"], ["abc", "c", "z"]];
    assert_eq!(
        arranged(Some(40), &[], &rows),
        "ID    NAMES  WHY\n名前  a      x\ne\u{301}     b      y\nabc   c      z"
    );
}

/// Over all widths: no line is wider but one that cannot be broken, and nothing is lost.
#[test]
fn no_line_is_wider_than_the_screen_but_a_word_that_is() {
    let rows = [
        ["cp1/apiserver-kubelet-client", "kubernetes.default.svc.cluster.local, 10.96.0.1", "named: it ends soon"],
        ["x", "", "2027-01-01T00:00:00Z (in 364d)"],
    ];
    for width in 10..140 {
        let text = arranged(Some(width), &[], &rows);
        for line in text.lines().filter(|line| columns(line) > usize::from(width)) {
            assert!(longest_piece(line.trim()) == columns(line.trim()), "{width}: {line}");
        }
        let squeezed = |text: &str| text.split_whitespace().collect::<Vec<_>>().concat();
        for word in rows.iter().flatten().flat_map(|cell| cell.split(' ')) {
            assert!(text.contains(word) && squeezed(&text).contains(word), "{width}: {word}");
        }
    }
}
