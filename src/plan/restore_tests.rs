use std::path::Path;

use time::macros::datetime;

use super::*;
use crate::tree::layout::Root;

const NOW: OffsetDateTime = datetime!(2026-11-20 22:00 UTC);

fn place(path: &str) -> Place {
    Place { root: Root::Main, path: path.to_owned() }
}

/// A file of one of kubeadm's trees; of two trees, `A+B`, one after the other.
#[allow(clippy::disallowed_methods)]
fn of(folders: &str, path: &str) -> Option<Zeroizing<Vec<u8>>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/kubeadm");
    let read = |folder| std::fs::read(root.join(folder).join("etc-kubernetes").join(path)).unwrap();
    Some(Zeroizing::new(folders.split('+').flat_map(read).collect()))
}

const OURS: &str = "v1.36-default-rsa2048";
const THEIRS: &str = "v1.36-ha-ecdsa-cp1";
const ENDED: &str = "v1.36-expired";
const CRT: &str = "pki/apiserver.crt";
const KEY: &str = "pki/apiserver.key";
const CONF: &str = "admin.conf";

/// The tree of each restored and each existing file: mismatches, and warnings.
fn judged(back: &[(&str, &str)], there: &[(&str, &str)]) -> (Vec<String>, Vec<String>) {
    let files = |all: &[(&str, &str)]| all.iter().map(|(path, folder)| (place(path), of(folder, path))).collect();
    let authorities = ["pki/ca.crt", "pki/front-proxy-ca.crt", "pki/etcd/ca.crt"].map(place);
    let mut there: Files = files(there);
    for authority in &authorities {
        there.entry(authority.clone()).or_insert_with(|| of(OURS, &authority.path));
    }
    let judgement = judge(&files(back), &there, &authorities, &Roots::alone("/t"), NOW);
    (judgement.torn.into_iter().map(|place| place.path).collect(), judgement.warnings)
}

#[test]
fn a_pair_is_put_back_whole_or_not_at_all() {
    let both = |folder| [(CRT, folder), (KEY, folder)];
    let fine = (Vec::new(), Vec::new());
    assert_eq!(judged(&both(OURS), &both(THEIRS)), fine);
    // Only one half is in the generation, and somebody replaced the other since.
    for half in [CRT, KEY] {
        assert_eq!(judged(&[(half, OURS)], &both(OURS)), fine, "{half}: nothing changes");
        assert_eq!(judged(&[(half, OURS)], &both(THEIRS)).0, [CRT], "{half}");
    }
    assert_eq!(judged(&[(CRT, OURS)], &[(CRT, THEIRS), (KEY, OURS)]), fine);
    assert_eq!(judged(&[(CRT, OURS)], &[(CRT, THEIRS)]), fine, "no key exists");
    // They did not match then either.
    let (torn, warnings) = judged(&[(CRT, OURS), (KEY, THEIRS)], &both(OURS));
    assert!(
        torn.is_empty() && warnings == ["pki/apiserver.crt does not match its key, as at that time"],
        "{warnings:?}"
    );
}

#[test]
fn another_authoritys_and_ended_certificates_are_told() {
    for path in [CRT, CONF] {
        let (torn, warnings) = judged(&[(path, THEIRS)], &[(path, OURS)]);
        let said = format!("{path} is signed by none of the tree's authorities (issuer CN=kubernetes)");
        assert!(torn.is_empty() && warnings == [said], "{warnings:?}");
        // Put back with its authority.
        assert_eq!(judged(&[(path, THEIRS), ("pki/ca.crt", THEIRS)], &[(path, OURS)]), (Vec::new(), Vec::new()));
        let (torn, warnings) = judged(&[(path, ENDED), ("pki/ca.crt", ENDED)], &[(path, OURS)]);
        assert!(torn.is_empty() && warnings[0].starts_with(&format!("{path} ended at 20")), "{warnings:?}");
    }
}

#[test]
fn a_key_fits_any_certificate_of_an_authority_and_only_the_first_of_a_leaf() {
    let two = &format!("{THEIRS}+{OURS}");
    for (stem, warnings) in [("pki/ca", 0), ("pki/apiserver", 1)] {
        let (certificate, key) = (&*format!("{stem}.crt"), &*format!("{stem}.key"));
        let back = [(certificate, two.as_str()), (key, OURS), ("pki/ca.crt", two)];
        let (torn, said) = judged(&back, &[(certificate, OURS), (key, OURS)]);
        assert_eq!((torn.len(), said.len()), (0, warnings), "{stem}: {said:?}");
        assert!(said.iter().all(|line| line.ends_with("does not match its key, as at that time")), "{said:?}");
    }
}

#[test]
fn both_halves_are_looked_at() {
    let found = siblings(&[place(KEY), place(CONF), place("pki/sa.pub")]);
    assert_eq!(found.into_iter().collect::<Vec<_>>(), [place(CRT), place(KEY)]);
}

/// An API server's certificate of OURS, whose authority is in `signers` or not.
#[test]
fn a_certificate_is_doubted_after_its_last_second_and_where_its_signer_is_not_among_the_authorities() {
    let one = |folder, path| parse_pem_bundle(&of(folder, path).unwrap()).unwrap().remove(0);
    let (leaf, ours, theirs) = (one(OURS, CRT), one(OURS, "pki/ca.crt"), one(THEIRS, "pki/ca.crt"));
    let unknown = one(OURS, "pki/etcd/server.crt");
    let end = leaf.not_after;
    let second = time::Duration::SECOND;
    let signed_by_none =
        |path: &str, issuer| Some(format!("{path} is signed by none of the tree's authorities (issuer {issuer})"));
    for (path, leaf, signers, now, said) in [
        (CRT, &leaf, vec![ours.clone()], end, None),
        (CRT, &leaf, vec![theirs.clone(), ours.clone()], NOW, None),
        (CRT, &leaf, vec![ours.clone()], end + second, Some(format!("{CRT} ended at {}", rfc3339(end)))),
        (CRT, &leaf, vec![theirs.clone()], NOW, signed_by_none(CRT, "CN=kubernetes")),
        (CRT, &unknown, vec![ours.clone()], NOW, signed_by_none(CRT, "CN=etcd-ca")),
        // Nothing to compare with, and what signs itself.
        (CRT, &leaf, vec![], NOW, None),
        ("pki/ca.crt", &theirs, vec![ours.clone()], NOW, None),
        // The kubelet's own authority is not one of the tree's; a name of the tree's must be right.
        ("kubelet.crt", &unknown, vec![ours.clone()], NOW, None),
        ("kubelet.crt", &leaf, vec![theirs.clone()], NOW, signed_by_none("kubelet.crt", "CN=kubernetes")),
    ] {
        assert_eq!(doubt(path, leaf, &signers, now), said, "{path} {now}");
    }
}

#[test]
fn a_key_of_an_unknown_kind_is_not_judged() {
    let bundle = parse_pem_bundle(&of(OURS, CRT).unwrap()).unwrap();
    assert!(fits(&bundle, b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"));
    assert!(fits(&bundle, &of(OURS, KEY).unwrap()));
    assert!(!fits(&bundle, &of(THEIRS, KEY).unwrap()));
    assert!(!fits(&[], &of(OURS, KEY).unwrap()));
}
