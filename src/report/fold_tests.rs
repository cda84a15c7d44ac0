use super::*;

#[test]
fn lines_are_broken_at_blanks_and_nowhere_else() {
    for (line, most, expected) in [
        ("as it is", 8, "as it is"),
        ("one two three", 9, "one two|  three"),
        ("  one two three", 9, "  one two|    three"),
        ("a 0123456789abcdef b", 8, "a|  0123456789abcdef|  b"),
        // Below the value, where it has room.
        ("  names:  a b c", 13, "  names:  a b|          c"),
        ("  names:  a bcdefghijklmnop", 20, "  names:  a|    bcdefghijklmnop"),
        // Wide characters take two columns, combining ones none.
        ("名前 名前", 8, "名前|  名前"),
        ("e\u{301}e\u{301} e\u{301}e\u{301}", 5, "e\u{301}e\u{301} e\u{301}e\u{301}"),
        ("2026-01-01 -> 2027-01-01", 14, "2026-01-01 ->|  2027-01-01"),
        ("ends 2027-01-01 (in 364d)", 14, "ends|  2027-01-01 (in 364d)"),
    ] {
        assert_eq!(fold(line, most).join("|"), expected);
    }
}

#[test]
fn commands_are_never_broken() {
    for (line, expected) in [
        ("    kpki export cp1 --out cp1.tar.gz --dir ./c", "    kpki export cp1 --out cp1.tar.gz --dir ./c"),
        (
            "next: cp1: pack it: kpki export cp1 --dir ./c | ssh cp1 kpki unpack -",
            "next: cp1: pack it:|  kpki export cp1 --dir ./c | ssh cp1 kpki unpack -",
        ),
        (
            "then: kpki csr all --dir ./cluster; and the rest of it",
            "then:|  kpki csr all --dir ./cluster;|  and the rest of it",
        ),
        (
            "it is (kubectl get cm kubeadm-config -o yaml), or so",
            "it is|  (kubectl get cm kubeadm-config -o yaml),|  or so",
        ),
        (
            "2. copy it: test ! -f pki/ca.crt || scp pki/ca.crt cp1:/etc/kubernetes/pki/ca.crt",
            "2. copy it:|  test ! -f pki/ca.crt || scp pki/ca.crt cp1:/etc/kubernetes/pki/ca.crt",
        ),
        ("run: ssh cp1 'a long one; and another; all'; so", "run:|  ssh cp1 'a long one; and another; all';|  so"),
        ("run: ssh cp1 \"it's one; and\"; so it is", "run:|  ssh cp1 \"it's one; and\";|  so it is"),
        ("run: kpki version on cp1's host; so it is", "run:|  kpki version on cp1's host;|  so it is"),
        // Not every word that is a program's is a command.
        ("what kpki does not know of, it cannot show here", "what kpki does not|  know of, it cannot|  show here"),
    ] {
        assert_eq!(fold(line, 20).join("|"), expected);
    }
}

#[test]
fn paragraphs_begin_in_one_column() {
    assert_eq!(paragraph("one two\n three", 2, 9), ["  one two", "  three"]);
    assert_eq!(paragraph("0123456789", 2, 5), ["  0123456789"]);
    assert_eq!(prose("why: kpki is one", 1, 8), [" why:", " kpki is", " one"]);
    assert_eq!(longest_piece("a (in b) kpki: kpki x y"), "kpki x y".len());
}

#[test]
fn what_is_written_in_pieces_is_folded_by_lines() {
    let mut out = Vec::new();
    let mut folding = Folding::new(&mut out, 7);
    for piece in ["one t", "wo thr", "ee\nfour\nno end of", " it"] {
        folding.write_all(piece.as_bytes()).unwrap();
    }
    folding.finish().unwrap();
    assert_eq!(String::from_utf8(out).unwrap(), "one two\n  three\nfour\nno end of it");
    assert_eq!(folded("one two\nthree", Some(5)), "one\n  two\nthree");
    assert_eq!(folded("one two", None), "one two");
}
