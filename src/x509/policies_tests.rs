use super::*;

/// What a certificate states, in words: policies by a letter, `*` anyPolicy, `A>B` a mapping, `e0` requireExplicitPolicy,
/// `m0` inhibitPolicyMapping, `x0` inhibitAnyPolicy, `self` self-issued.
fn stated(words: &str) -> (Stated, bool) {
    let mut stated = Stated::default();
    let mut is_self_issued = false;
    for word in words.split_whitespace() {
        let number = || word.get(1..).and_then(|number| number.parse().ok());
        match word.split_once('>') {
            Some((from, to)) => {
                stated.mappings.entry(policy_of(from)).or_default().insert(policy_of(to));
            }
            None if word == "self" => is_self_issued = true,
            None if word.starts_with('e') => stated.require_explicit = number(),
            None if word.starts_with('m') => stated.inhibit_mapping = number(),
            None if word.starts_with('x') => stated.inhibit_any = number(),
            None => {
                stated.policies.get_or_insert_default().insert(policy_of(word));
            }
        }
    }
    (stated, is_self_issued)
}

fn policy_of(word: &str) -> Oid {
    if word == "*" { ANY } else { Oid::new(format!("1.{}", word.bytes().next().unwrap())) }
}

/// After the anchor, which states nothing.
fn answer(path: &[&str], acceptable: &str, flags: &str) -> Result<(), (usize, PolicyError)> {
    let acceptable: Vec<Oid> = acceptable.split_whitespace().map(policy_of).collect();
    let flag = |one: char| flags.contains(one);
    let input = PolicyInput {
        acceptable: &acceptable,
        explicit: flag('e'),
        inhibit_mapping: flag('m'),
        inhibit_any: flag('x'),
    };
    let path: Vec<_> = std::iter::once("").chain(path.iter().copied()).map(stated).collect();
    judge(&path, input)
}

#[test]
fn policies_go_from_the_anchor_to_the_leaf() {
    const FINE: Option<usize> = None;
    for (path, acceptable, flags, refused_at) in [
        // Nobody asks.
        (&["", ""][..], "", "", FINE),
        (&["A", "B"], "A", "", FINE),
        // The caller asks.
        (&["A", "A"], "", "e", FINE),
        (&["A", "A"], "A", "e", FINE),
        (&["A", "A"], "B", "e", Some(2)),
        (&["A", "A"], "A B", "e", FINE),
        (&["A B", "B C"], "B", "e", FINE),
        (&["A B", "B C"], "A", "e", Some(2)),
        (&["A", "B"], "", "e", Some(2)),
        (&["", "A"], "", "e", Some(1)),
        (&["A", ""], "", "e", Some(2)),
        // anyPolicy.
        (&["*", "A"], "A", "e", FINE),
        (&["*", "A"], "B", "e", Some(2)),
        (&["A", "*"], "A", "e", FINE),
        (&["A", "*"], "B", "e", Some(2)),
        (&["*", "*"], "B", "e", FINE),
        (&["*", "A"], "A", "ex", Some(1)),
        (&["A", "*"], "A", "ex", Some(2)),
        (&["A x0", "*"], "", "e", Some(2)),
        (&["A x1", "A", "*"], "", "e", Some(3)),
        (&["A x1", "*", "A"], "", "e", FINE),
        (&["A x0", "* self", "A"], "", "e", FINE),
        (&["A x0", "A", "* self"], "", "e", Some(3)),
        (&["A x1", "* self", "*", "A"], "", "e", FINE),
        // An authority asks.
        (&["A e0", ""], "", "", Some(2)),
        (&["A e0", "A"], "", "", FINE),
        (&["e0", "A"], "", "", Some(2)),
        (&["e1", "", ""], "", "", Some(3)),
        (&["e2", "", ""], "", "", Some(3)),
        (&["e3", "", ""], "", "", FINE),
        (&["e2", " self", "", ""], "", "", Some(4)),
        (&["", "e0"], "", "", Some(2)),
        (&["", "e1"], "", "", FINE),
        (&["A", "A e0"], "", "", FINE),
        (&["A e5", "A e0", "B"], "", "", Some(3)),
        (&["A e0", "A e5", "B"], "", "", Some(3)),
        // Mappings.
        (&["A A>B", "B"], "A", "e", FINE),
        (&["A A>B", "B"], "B", "e", Some(2)),
        (&["A A>B", "A"], "", "e", Some(2)),
        (&["A A>B A>C", "C"], "A", "e", FINE),
        (&["A A>B", "B B>C", "C"], "A", "e", FINE),
        (&["A B A>C B>C", "C"], "B", "e", FINE),
        (&["* A>B", "B"], "A", "e", FINE),
        (&["* A>B", "C"], "C", "e", FINE),
        (&["A A>B m0", "B B>C", "C"], "", "e", Some(3)),
        (&["A A>B m1", "B B>C", "C"], "", "e", FINE),
        (&["A A>B m1", "B B>C", "C C>D", "D"], "", "e", Some(4)),
        (&["A A>B m1", "B self B>C", "C C>D", "D"], "", "e", FINE),
        (&["A A>B", "B"], "", "em", Some(2)),
        (&["A C A>B", "C"], "C", "em", FINE),
        (&["A A>*", "A"], "", "", Some(1)),
        (&["A *>A", "A"], "", "", Some(1)),
        // Mappings of a leaf are about nothing.
        (&["A", "A A>*"], "A", "e", FINE),
    ] {
        let answer = answer(path, acceptable, flags);
        assert_eq!(
            answer.clone().err().map(|(depth, _)| depth),
            refused_at,
            "{path:?} {acceptable} {flags}: {answer:?}"
        );
    }
    assert_eq!(answer(&["A A>*", "A"], "", ""), Err((1, PolicyError::MapsAny)));
    assert_eq!(answer(&["A", "B"], "", "e"), Err((2, PolicyError::NoPolicy)));
}

#[test]
fn the_anchors_constraints_count() {
    let demanding = [stated("e0 m0 x0"), stated("A A>B"), stated("B")];
    assert_eq!(
        judge(&demanding, PolicyInput::default()),
        Err((1, PolicyError::NoPolicy)).or(Err((2, PolicyError::NoPolicy)))
    );
    let lax = [stated("A B"), stated("C"), stated("C")];
    assert_eq!(judge(&lax, PolicyInput { explicit: true, ..PolicyInput::default() }), Ok(()));
}

/// A policy tree of this path would have 2^40 leaves.
#[test]
fn no_path_makes_the_graph_explode() {
    let one = "A B A>A A>B B>A B>B";
    let mut path = vec![stated("")];
    path.extend(std::iter::repeat_with(|| stated(one)).take(40));
    path.push(stated("A"));
    assert_eq!(judge(&path, PolicyInput { explicit: true, ..PolicyInput::default() }), Ok(()));
}

#[test]
fn extensions_are_read_whole_or_not_at_all() {
    let id = |arc: u8| tlv::write(tlv::OBJECT_IDENTIFIER, &[0x29, arc]);
    let oid = |arc: u8| Oid::new(format!("1.1.{arc}"));
    let seq = |parts: &[Vec<u8>]| tlv::sequence(parts);
    assert_eq!(policies(&seq(&[seq(&[id(1)]), seq(&[id(2), seq(&[])])])), Ok(BTreeSet::from([oid(1), oid(2)])));
    for wrong in [seq(&[]), seq(&[id(1)]), seq(&[seq(&[])]), vec![], tlv::write(tlv::SET, &seq(&[id(1)]))] {
        assert_eq!(policies(&wrong), Err(NotDer), "{wrong:02x?}");
    }
    let mapped = mappings(&seq(&[seq(&[id(1), id(2)]), seq(&[id(1), id(3)])]));
    assert_eq!(mapped, Ok(BTreeMap::from([(oid(1), BTreeSet::from([oid(2), oid(3)]))])));
    for wrong in [seq(&[]), seq(&[seq(&[id(1)])]), seq(&[seq(&[id(1), id(2), id(3)])])] {
        assert_eq!(mappings(&wrong), Err(NotDer), "{wrong:02x?}");
    }
    let (explicit, mapping) = (|octets: &[u8]| tlv::write(0x80, octets), |octets: &[u8]| tlv::write(0x81, octets));
    assert_eq!(constraints(&seq(&[explicit(&[0]), mapping(&[1, 0])])), Ok((Some(0), Some(256))));
    assert_eq!(constraints(&seq(&[mapping(&[5])])), Ok((None, Some(5))));
    assert_eq!(constraints(&seq(&[explicit(&[1, 0, 0, 0])])), Ok((Some(usize::MAX), None)));
    for wrong in [
        seq(&[]),
        seq(&[explicit(&[])]),
        seq(&[explicit(&[0xff])]),
        seq(&[explicit(&[0, 1])]),
        seq(&[mapping(&[0]), explicit(&[0])]),
        seq(&[explicit(&[0]), explicit(&[0])]),
    ] {
        assert_eq!(constraints(&wrong), Err(NotDer), "{wrong:02x?}");
    }
}
