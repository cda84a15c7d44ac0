//! YAML: places, bounds, and text made to hurt.

use super::super::dialect::MAX_BYTES;
use super::super::node::{field, text as text_of};
use super::*;
use proptest::prelude::*;

fn faults(text: &str) -> Vec<String> {
    let stream = read(text.as_bytes());
    stream
        .faults
        .iter()
        .map(|fault| format!("{}:{}: {}: {}", fault.mark.line, fault.mark.column, fault.field, fault.flaw))
        .collect()
}

#[test]
fn a_tree_knows_where_everything_stood() {
    let stream = read("\u{feff}a: 1\r\nlist:\r\n  - 'x'\r\n  - {ä: y, b:}\r\n---\n---\nempty: ~\n".as_bytes());
    assert_eq!(stream.faults, []);
    assert_eq!(stream.documents.len(), 2);
    let Value::Mapping(entries) = &stream.documents[0].value else { panic!("no mapping") };
    assert_eq!(entries[0].node.mark, Mark { line: 1, column: 4 });
    assert_eq!(entries[1].key_mark, Mark { line: 2, column: 1 });
    let Value::Sequence(items) = &entries[1].node.value else { panic!("no sequence") };
    assert_eq!(items[0].mark, Mark { line: 3, column: 5 });
    assert_eq!(items[0].value, Value::Scalar { text: "x".to_owned().into(), style: Style::Quoted });
    let Value::Mapping(inner) = &items[1].value else { panic!("no mapping") };
    assert_eq!(inner[0].node.mark, Mark { line: 4, column: 9 });
    assert_eq!((inner[1].node.mark, &inner[1].node.value), (Mark { line: 4, column: 12 }, &Value::Null));
}

#[test]
fn what_makes_yaml_clever_is_refused_with_its_place() {
    for (text, expected) in [
        ("a: &x 1", "1:4: a: expected plain values, found an anchor (&): profiles take no anchors or aliases"),
        ("a: *x", "1:4: : expected a value, found an alias (*): profiles take no aliases; write the value out"),
        ("<<: {a: 1}", "1:1: <<: expected a key, found a merge key (<<): profiles take none; write the keys out"),
        ("a: !!str 1", "1:4: a: expected a plain value, found a tag (!): profiles take no tags"),
        ("a:\n  b: 1\n  b: 2", "3:3: a.b: expected each key once, found it again (first on line 2)"),
        ("? [a]\n: 1", "1:3: : expected a text as key, found a list, a mapping or an alias"),
        ("{{a: 1}: b}", "1:2: : expected a text as key, found a list, a mapping or an alias"),
        ("a: 'b", "1:4: : expected YAML, found a quoted text that is not closed"),
        (
            "a: b: c",
            "1:5: : expected YAML, found a colon where none can stand; a text with a colon and a space needs quotes",
        ),
        ("a: \u{0}", "1:4: : expected YAML, found a control character"),
    ] {
        let found = faults(text);
        assert_eq!(found.first().map(String::as_str), Some(expected), "{text:?}: {found:?}");
    }
    assert_eq!(faults("a: &x 1\nb: *x").len(), 2);
    let mut bad = b"a: b\nc\xc3\xa4: \xff".to_vec();
    assert_eq!(read(&bad).faults[0].mark, Mark { line: 2, column: 5 });
    bad.resize(MAX_BYTES + 1, b' ');
    assert!(matches!(read(&bad).faults[0].flaw, Flaw::TooLarge { bytes: 1_048_577, .. }));
}

#[test]
fn bounds_hold_at_their_edge() {
    let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    assert_eq!(read(nested(PROFILE.depth).as_bytes()).faults, []);
    assert!(matches!(read(nested(PROFILE.depth + 1).as_bytes()).faults[0].flaw, Flaw::TooDeep { .. }));
    assert!(matches!(read(nested(100_000).as_bytes()).faults[0].flaw, Flaw::TooDeep { .. }));
    let items = |count: usize| "- a\n".repeat(count);
    assert_eq!(read(items(PROFILE.nodes - 1).as_bytes()).faults, []);
    assert!(matches!(read(items(PROFILE.nodes).as_bytes()).faults[0].flaw, Flaw::TooManyNodes { .. }));
    let documents = |count: usize| "--- a\n".repeat(count);
    assert_eq!(read(documents(PROFILE.documents).as_bytes()).documents.len(), PROFILE.documents);
    assert!(matches!(read(documents(PROFILE.documents + 1).as_bytes()).faults[0].flaw, Flaw::TooManyDocuments { .. }));
}

/// Up to a megabyte of the worst: no panic, and never more events than the bounds allow: each node begins and ends once.
#[test]
fn hostile_text_is_answered_with_bounded_work() {
    let work_in = |text: &str, dialect: &'static Dialect| {
        let mut builder = Builder::new(dialect);
        let fault = builder.read(text.as_bytes()).err();
        assert!(builder.events <= 2 * (dialect.nodes + dialect.documents) + 4, "{} events", builder.events);
        assert!(builder.stream.faults.len() <= MAX_PROBLEMS);
        let made: usize = builder.stream.documents.iter().map(|node| Size::of(node).nodes).sum();
        assert!(made <= dialect.nodes, "{made} nodes");
        fault
    };
    let work = |text: &str| {
        work_in(text, &MANIFEST);
        work_in(text, &PROFILE)
    };

    let mega = |piece: &str| piece.repeat(MAX_BYTES / piece.len());
    for piece in [
        "[",
        "{",
        "[{",
        "{a: ",
        "[a, ",
        "{{a",
        "? ",
        "? ? ? ",
        "- ",
        "- - - ",
        "&a ",
        "*a ",
        "!",
        "!a ",
        "! ",
        "'",
        "\"",
        "\\",
        "a",
        "a ",
        "a\n",
        " a\n",
        "a: ",
        "a:\n",
        "a: b\n",
        "a:\n ",
        ",",
        ":",
        ": ",
        "#",
        " #\n",
        "\n",
        "\r",
        " ",
        "\t",
        "|\n",
        ">\n",
        "| a\n",
        "--- ",
        "---\n",
        "...\n",
        "%a\n",
        "%TAG ! a\n",
        "%YAML 1.1\n",
        "\"\\x41",
        "\"a\" ",
        "'' ",
        "]",
        "}",
        "[]",
        "{}",
        "[],",
        "[a]: ",
        "{? ",
        "{a, ",
        "\u{feff}",
        "\u{feff}\n",
        "ä",
        "🦀: ",
        "'a\n",
        "\"\n",
        "\"a\n  ",
        "a\n\n\n",
        "-\n",
        "-\n -",
        "a: &a [*a,*a]\n",
        "<<: *a\n",
        "[a: b, ",
        "? a\n: b\n",
        "a: |\n  ",
        "a: |\n\n",
        "\n- \n ",
        "- a: ",
        "a: - ",
    ] {
        for prefix in ["", "[", "- ", "\"", "a: |\n"] {
            let text = format!("{prefix}{}", mega(piece));
            let text = text.get(..MAX_BYTES).unwrap_or(&text);
            work(text);
        }
    }
    // One level of indentation per line.
    let stairs: String = (0..1400).map(|i| format!("{}a:\n", " ".repeat(i))).collect();
    assert!(matches!(work(&stairs).unwrap().flaw, Flaw::TooDeep { .. }));
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        read(&bytes);
        read_as_kubectl(&bytes);
    }

    #[test]
    fn arbitrary_yaml_never_panics(pieces in proptest::collection::vec(
        prop_oneof![
            "[\\[\\]{},:?&*!|>'\"%@`#\\-\\\\ \t\r\n]{1,4}",
            "[a-z0-9.~<äé\u{feff}]{1,3}",
            Just("\n  ".to_owned()), Just(": ".to_owned()), Just("- ".to_owned()), Just("---\n".to_owned()), Just("...\n".to_owned()),
        ],
        0..60,
    )) {
        let text = pieces.concat();
        read(text.as_bytes());
        read_as_kubectl(text.as_bytes());
    }

    /// Without what is clever, and without duplicates, both are one.
    #[test]
    fn a_plain_text_is_the_same_to_kubectl(pieces in proptest::collection::vec(
        prop_oneof!["[a-c~]{1,2}", Just("\n  ".to_owned()), Just(": ".to_owned()), Just("- ".to_owned()), Just("'x'".to_owned()),
            Just("\n".to_owned()), Just("[a, b]".to_owned()), Just("---\n".to_owned())],
        0..40,
    )) {
        let text = pieces.concat();
        let plain = read(text.as_bytes());
        if plain.faults.is_empty() {
            prop_assert_eq!(read_as_kubectl(text.as_bytes()).documents, plain.documents);
        }
    }
}

#[test]
fn a_scalar_knows_its_bytes() {
    for (value, expected) in [
        ("b # c", "b"),
        ("'b' # c's", "'b'"),
        ("'b''s'  # 'c'", "'b''s'"),
        ("\"b\\\"\\\\\" # \"c\"", "\"b\\\"\\\\\""),
        ("''", "''"),
        ("b\n  c\n  # d", "b\n  c"),
        ("|- # c\n\n  'b'\n  c \n\n", "'b'\n  c"),
        (">\n  b\n", "b"),
        ("", ""),
        ("~", "~"),
        ("[a]", ""),
    ] {
        for mark in ["", "\u{feff}"] {
            let text = format!("{mark}ä: [ö]\nk: {value}\nz: ü\n").replace('\n', "\r\n");
            let stream = read(text.as_bytes());
            assert_eq!(stream.faults, [], "{text:?}");
            let bytes = |key| text.get(field(&stream.documents[0], key).unwrap().range.clone());
            assert_eq!(bytes("k"), Some(expected.replace('\n', "\r\n").as_str()), "{text:?}");
            assert_eq!(bytes("z"), Some("ü"), "{text:?}");
        }
    }
}

/// As `kubectl config view --raw` of 1.36 shows the same lines.
#[test]
fn what_is_clever_means_what_it_means_to_kubectl() {
    let text = "base: &base {certificate: base.crt, key: base.key}\n\
        before: {<<: *base, key: own.key}\n\
        after:\n  key: own.key\n  <<: *base\n\
        list:\n  <<: [{key: one.key}, {key: two.key, certificate: two.crt}]\n\
        again: {key: a, key: b}\n\
        tags: {key: !!str 12, certificate: !foo x}\n\
        binary: {key: !!binary TFMwdExRPT0=, certificate: !!binary aGVs\u{a0}bG8=}\n"
        .replace('\u{a0}', "");
    let stream = read_as_kubectl(text.as_bytes());
    assert_eq!(stream.faults, []);
    for (name, key, certificate) in [
        ("before", "own.key", Some("base.crt")),
        ("after", "base.key", Some("base.crt")),
        ("list", "one.key", Some("two.crt")),
        ("again", "b", None),
        ("tags", "12", Some("x")),
        ("binary", "LS0tLQ==", Some("hello")),
    ] {
        let node = field(&stream.documents[0], name).unwrap();
        assert_eq!((text_of(node, "key"), text_of(node, "certificate")), (Some(key), certificate), "{name}");
    }
    let null = read_as_kubectl(b"a: !!str\nb: !!null ~\nc: !!str null");
    let values = ["a", "b", "c"].map(|key| text_of(&null.documents[0], key));
    assert_eq!(values, [Some(""), None, Some("null")]);
}

#[test]
fn what_kubectl_refuses_is_refused() {
    for (text, expected) in [
        ("a: &x [*x]", Flaw::AliasInItself),
        ("a: *x", Flaw::UnknownAnchor),
        ("a: {<<: x}", Flaw::NotMergeable),
        ("a: {<<: [{b: c}, x]}", Flaw::NotMergeable),
        ("a: !!binary '%'", Flaw::NotBase64),
        ("a: &x b\n*x : c", Flaw::KeyNotText),
    ] {
        assert_eq!(read_as_kubectl(text.as_bytes()).faults.first().map(|fault| &fault.flaw), Some(&expected), "{text}");
    }
}

/// Each line nine times the one before it.
#[test]
fn aliases_of_aliases_are_bounded() {
    let bomb = |first: &str| {
        let lines =
            (1..30).map(|line| format!("a{line}: &a{line} [{}]\n", vec![format!("*a{}", line - 1); 9].join(", ")));
        format!("a0: &a0 {first}\n{}", lines.collect::<String>())
    };
    let flaw = |text: &str| read_as_kubectl(text.as_bytes()).faults[0].flaw.clone();
    assert_eq!(flaw(&bomb("lol")), Flaw::Multiplied { what: "keys and values", limit: MANIFEST.nodes });
    let long = "x".repeat(100_000);
    assert_eq!(flaw(&bomb(&long)), Flaw::Multiplied { what: "bytes", limit: MANIFEST.bytes });
    // One level more in each line: the tree would be too deep to be walked.
    let ladder: String = (1..200).map(|line| format!("a{line}: &a{line} [*a{}]\n", line - 1)).collect();
    assert_eq!(flaw(&format!("a0: &a0 x\n{ladder}")), Flaw::TooDeep { limit: MANIFEST.depth });
    let merges: String =
        (1..200).map(|line| format!("a{line}: &a{line} {{<<: *a{}, k{line}: v}}\n", line - 1)).collect();
    assert_eq!(read_as_kubectl(format!("a0: &a0 {{k: v}}\n{merges}").as_bytes()).faults, []);
}
