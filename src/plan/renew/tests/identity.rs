//! What the old certificate says of the new one.

use super::*;

#[test]
fn a_lifetime_is_what_the_dates_say_or_nothing() {
    let start = MADE - YEAR;
    let issuer = authority("ca", start, start + YEAR * 10);
    let ca = issuer.certificate();
    let end = ca.not_after;
    let minutes = Duration::minutes;
    let stated = Lifetime::Stated;
    let cases = [
        // (first second, last second, lifetime)
        (MADE, MADE + YEAR, stated(YEAR)),
        (MADE, MADE + Duration::hours(1), stated(Duration::hours(1))),
        // kubeadm up to 1.30: begins with its CA, made in the same run.
        (start, start + YEAR, stated(YEAR)),
        (start, start + YEAR - minutes(1), stated(YEAR - minutes(1))),
        (start, start + YEAR + minutes(9), stated(YEAR + minutes(9))),
        (start, start + YEAR + minutes(10), stated(YEAR + minutes(10))),
        (start, start + YEAR + minutes(11), Lifetime::Unclear),
        (start, start + Duration::hours(1), stated(Duration::hours(1))),
        // A whole number of days: chosen so.
        (start, start + YEAR * 3, stated(YEAR * 3)),
        (start, start + YEAR * 3 + minutes(10), stated(YEAR * 3 + minutes(10))),
        // Made years after its CA, and begins with it all the same.
        (start, start + YEAR * 3 + minutes(11), Lifetime::Unclear),
        (start, start + YEAR * 3 + Duration::hours(7), Lifetime::Unclear),
        // Cut to its CA's end.
        (end - Duration::days(90), end, Lifetime::Cut),
        (end - YEAR + Duration::SECOND, end, Lifetime::Cut),
        (end - YEAR, end, stated(YEAR)),
        (end - YEAR * 2, end, stated(YEAR * 2)),
        // Over before it begins.
        (MADE, MADE - Duration::SECOND, Lifetime::Short(-Duration::SECOND)),
        // Made with `1s`, and the shortest that is meant.
        (MADE, MADE + BACK_DATE + Duration::SECOND, Lifetime::Short(BACK_DATE + Duration::SECOND)),
        (MADE, MADE + minutes(15) - Duration::SECOND, Lifetime::Short(minutes(15) - Duration::SECOND)),
        (MADE, MADE + minutes(15), stated(minutes(15))),
    ];
    let mut old = ca.clone();
    for (not_before, not_after, wanted) in cases {
        (old.not_before, old.not_after) = (not_before, not_after);
        assert_eq!(lifetime(&old, ca), wanted, "{not_before} {not_after}");
    }
}

#[test]
fn names_are_kept_added_and_pruned() {
    // (old, wanted, prune) -> (all, added, removed, surplus)
    type Case = (&'static [&'static str], &'static [&'static str], bool, [&'static [&'static str]; 4]);
    let cases: &[Case] = &[
        (&["b", "a"], &["a", "b"], false, [&["b", "a"], &[], &[], &[]]),
        (&["b"], &["a", "b", "c"], false, [&["b", "a", "c"], &["a", "c"], &[], &[]]),
        (&["b", "x"], &["a", "b"], false, [&["b", "x", "a"], &["a"], &[], &["x"]]),
        (&["b", "x"], &["a", "b"], true, [&["b", "a"], &["a"], &["x"], &[]]),
        (&["LB.Example.com"], &["lb.example.com"], true, [&["LB.Example.com"], &[], &[], &[]]),
        (&["a", "a"], &["a"], true, [&["a", "a"], &[], &[], &[]]),
        (&[], &[], true, [&[], &[], &[], &[]]),
        (&["x"], &[], true, [&[], &[], &["x"], &[]]),
    ];
    for (old, wanted, prune, [all, added, removed, surplus]) in cases {
        let (found, names) = crate::plan::renew::identity::names(&dns(old), &dns(wanted), *prune);
        let expected = Names { added: dns(added), removed: dns(removed), surplus: dns(surplus) };
        assert_eq!((found, names), (dns(all), expected), "{old:?} {wanted:?} {prune}");
    }
    // An address is not the name that reads like it.
    let ip = San::Ip("10.0.0.1".parse().unwrap());
    let (all, names) = crate::plan::renew::identity::names(&dns(&["10.0.0.1"]), std::slice::from_ref(&ip), false);
    assert_eq!((all.len(), names.added), (2, vec![ip]));
}

#[test]
fn a_key_of_another_kind_may_do_what_its_kind_may() {
    let world = World::new().apiserver();
    let mut old = *world.renewal("apiserver").old.unwrap();
    let both = KeyUsage::DIGITAL_SIGNATURE.and(KeyUsage::KEY_ENCIPHERMENT);
    let (rsa, ec) = (KeyKind::Known(Algorithm::Rsa2048), KeyKind::Known(Algorithm::EcdsaP384));
    let other = KeyKind::Other(OtherKey::Dsa { bits: 2048 });
    let (new_rsa, new_ec) = (Algorithm::Rsa2048, Algorithm::EcdsaP384);
    let cases = [
        // kubeadm puts it on EC keys as well: as it was, as long as the kind stays.
        (&ec, Some(both), new_ec, both),
        (&ec, Some(both), new_rsa, both),
        (&rsa, Some(both), new_ec, KeyUsage::DIGITAL_SIGNATURE),
        (&rsa, Some(both), new_rsa, both),
        (&ec, Some(KeyUsage::DIGITAL_SIGNATURE), new_rsa, both),
        (&rsa, Some(KeyUsage::DIGITAL_SIGNATURE), new_rsa, KeyUsage::DIGITAL_SIGNATURE),
        (&ec, None, new_ec, KeyUsage::DIGITAL_SIGNATURE),
        // A kind that kpki does not make is neither.
        (&other, Some(both), new_ec, KeyUsage::DIGITAL_SIGNATURE),
        (&other, Some(KeyUsage::DIGITAL_SIGNATURE), new_rsa, both),
    ];
    for (kind, found, new, wanted) in cases {
        (old.key, old.key_usage) = (kind.clone(), found);
        assert_eq!(
            crate::plan::renew::identity::blueprint(&old, new, Vec::new()).key_usage,
            wanted,
            "{kind:?} {found:?} {new}"
        );
    }
}

#[test]
fn a_blueprint_for_a_key_of_another_kind_changes_only_encipherment() {
    let signature = KeyUsage::DIGITAL_SIGNATURE;
    let both = signature.and(KeyUsage::KEY_ENCIPHERMENT);
    let (rsa, ec) = (Algorithm::Rsa2048, Algorithm::EcdsaP384);
    for (was, usage, new, wanted) in [
        (rsa, both, ec, signature),
        (rsa, both, rsa, both),
        (rsa, signature, ec, signature),
        (ec, signature, rsa, both),
        (ec, signature, ec, signature),
        (ec, both, ec, both),
    ] {
        let blueprint = Blueprint { key_usage: usage, ..server("a", &["a"]) };
        let expected = Blueprint { key_usage: wanted, ..blueprint.clone() };
        assert_eq!(for_key(blueprint, was, new), expected, "{was} {usage:?} {new}");
    }
}

#[test]
fn extensions_nobody_writes_are_named() {
    let mut old = *World::new().apiserver().renewal("apiserver").old.unwrap();
    assert_eq!(crate::plan::renew::identity::dropped(&old), Vec::<Oid>::new());
    old.extensions.push((Oid::new("1.2.3.4"), false));
    assert_eq!(crate::plan::renew::identity::dropped(&old), [Oid::new("1.2.3.4")]);
}
