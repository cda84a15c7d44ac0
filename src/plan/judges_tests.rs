//! One file of a leaf with its intermediates before every judge of chains: `init`, `renew`, `import` and `export --verify`
//! give the answer of the path judge, whatever it is.

use time::macros::datetime;
use time::{Duration, OffsetDateTime};
use zeroize::Zeroizing;

use crate::blueprint::{Algorithm, Blueprint, KeyUsage, Name, Role, Subtree};
use crate::ca::{Issuer, PrivateKey, issue, self_sign};
use crate::catalog::{CaId, find};
use crate::files::FileState;
use crate::plan::decision::{self, Difference, Making};
use crate::plan::import::{self, Anchors, Expected, Objection};
use crate::plan::init::items;
use crate::plan::item::Item;
use crate::plan::node::{self, Finding, Identity, NodeEntry, NodeFile};
use crate::plan::reconcile::reconcile;
use crate::plan::renew::{self, Credential, Decision, Reason, Rules, Skipped};
use crate::profile::{Overrides, Profile, Source, Threshold, load};
use crate::tree::PlainKeys;
use crate::tree::authorities::authorities;
use crate::tree::layout::Root;
use crate::tree::{Directories, Layout, Place, Survey};
use crate::x509::path::{self, Part, Violation};
use crate::x509::{Certificate, PathError, parse_pem_bundle};

const NOW: OffsetDateTime = datetime!(2026-11-20 22:00 UTC);
const PROFILE: &str = "apiVersion: kpki/v1\nkind: ClusterProfile\nencryptionAlgorithm: ECDSA-P256\n\
                       nodes: [{name: cp1, addresses: [10.0.0.11]}]\n";

fn key() -> PrivateKey {
    PrivateKey::generate(Algorithm::EcdsaP256).unwrap()
}

fn authority(name: &str) -> Blueprint {
    Blueprint {
        subject: Name::of(name, &[]),
        not_before: NOW - Duration::days(10),
        not_after: NOW + Duration::days(3650),
        role: Role::Authority { path_len: None },
        key_usage: KeyUsage::DIGITAL_SIGNATURE.and(KeyUsage::KEY_CERT_SIGN),
        extended_key_usages: vec![],
        sans: vec![],
        permitted: vec![],
    }
}

fn root() -> Issuer {
    let key = key();
    Issuer::new(vec![self_sign(&authority("kubernetes"), &key).unwrap().certificate], key).unwrap()
}

fn below(above: &Issuer, name: &str) -> Issuer {
    let key = key();
    let signed = issue(&authority(name), &key.spki_der(), above).unwrap();
    Issuer::new(vec![signed.certificate], key).unwrap()
}

/// Another certificate for the key of `issuer`.
fn instead(issuer: &Issuer, above: &Issuer, wanted: &Blueprint) -> Certificate {
    issue(wanted, &issuer.certificate().spki_der, above).unwrap().certificate
}

/// What a judge says of a file.
#[derive(Debug, Clone, PartialEq)]
enum Answer {
    Valid,
    /// Signed by an authority that is only trusted.
    Earlier,
    Broken(PathError),
}

/// A tree with one authority that signs, an earlier one of the same name, and room for an API server's certificate.
struct World {
    profile: Profile,
    items: Vec<Item>,
    directories: Directories,
    survey: Survey,
    anchors: Vec<Certificate>,
    blueprint: Blueprint,
}

impl World {
    fn new(signs: &Issuer, earlier: &Issuer) -> Self {
        let profile =
            load(Source { name: "p.yaml", bytes: PROFILE.as_bytes() }, &Overrides::default()).unwrap().profile;
        let directories = Directories::usual();
        let items = items(&profile, &Layout::Node { name: "cp1".to_owned() }, &directories);
        let anchors = vec![signs.certificate().clone(), earlier.certificate().clone()];
        let blueprint = authority("replaced below");
        let mut world = Self { profile, items, directories, survey: Survey::new(), anchors, blueprint };
        let bundle: String = world.anchors.iter().map(Certificate::to_pem).collect();
        world.put("pki/ca.crt", &bundle);
        world.put("pki/ca.key", signs.key().to_pem().as_str());
        let decision = world.decided();
        let decision::Decision::Make(Making::Certificate(_, blueprint)) = decision else { panic!("{decision:?}") };
        Self { blueprint, ..world }
    }

    fn put(&mut self, path: &str, text: &str) {
        let bytes = Zeroizing::new(text.as_bytes().to_vec());
        let place = Place { root: Root::Main, path: path.to_owned() };
        self.survey.insert(place, FileState::File { bytes, mode: 0o600, uid: 0, gid: 0 });
    }

    fn decided(&self) -> decision::Decision {
        let authorities = authorities(&self.survey, &self.directories, &PlainKeys);
        let mut decisions = reconcile(&self.profile, &self.items, &self.survey, &authorities, NOW, false).decisions;
        decisions.swap_remove(self.items.iter().position(|item| item.id.name == "apiserver").unwrap())
    }

    fn init(&self) -> Answer {
        match self.decided() {
            decision::Decision::Keep => Answer::Valid,
            decision::Decision::Conflict(differences, None) => match differences.as_slice() {
                [Difference::Path(CaId::Cluster, why)] => Answer::Broken(why.clone()),
                other => panic!("{other:?}"),
            },
            other => panic!("{other:?}"),
        }
    }

    fn decide(&self, due: Option<Threshold>) -> Decision {
        let layout = Layout::Node { name: "cp1".to_owned() };
        let credentials = renew::of_profile(&self.profile, &layout, &self.directories);
        let is_its = |one: &&Credential| one.id.name == "apiserver";
        let credential = credentials.iter().find(is_its).unwrap();
        let authorities = authorities(&self.survey, &self.directories, &PlainKeys);
        let profile = Some(&self.profile);
        let rules = Rules {
            profile,
            now: NOW,
            due,
            named: true,
            prune_sans: false,
            reuse_key: false,
            kubelets: None,
            former_servers: &[],
        };
        renew::decide(credential, &credentials, &authorities, &self.survey, &rules).unwrap()
    }

    /// What is not this tree's is left alone: only dates are healed by signing anew.
    fn renew(&self, expected: &Answer) -> Answer {
        let due = self.decide(Some(Threshold::PercentLeft(1)));
        match self.decide(None) {
            Decision::Renew(renewal) => match renewal.reasons.as_slice() {
                [Reason::Requested] => {
                    assert!(matches!(due, Decision::Keep(_)), "{due:?}");
                    Answer::Valid
                }
                [Reason::EarlierAuthority(_)] => Answer::Earlier,
                [Reason::Path(why)] => {
                    assert!(matches!(&due, Decision::Renew(one) if one.reasons == renewal.reasons), "{due:?}");
                    Answer::Broken(why.clone())
                }
                other => panic!("{other:?}"),
            },
            Decision::Skipped(Skipped::NotOurs(_), _) => {
                assert!(matches!(due, Decision::Keep(_)), "{due:?}");
                match expected {
                    Answer::Broken(why) if !why.is_about_dates() => expected.clone(),
                    other => panic!("{other:?}"),
                }
            }
            other => panic!("{other:?}"),
        }
    }

    fn import(&self, leaf: &Certificate, rest: &[Certificate]) -> Answer {
        let expected = Expected {
            blueprint: &self.blueprint,
            dispensable: &[],
            anchors: Anchors::Authority(CaId::Cluster),
            trusted: self.anchors.get(..1).unwrap_or_default(),
            issued: &[],
            now: NOW,
        };
        match import::judge(leaf, rest, &expected).objections.as_slice() {
            [] => Answer::Valid,
            [Objection::Path(Anchors::Authority(CaId::Cluster), why)] => Answer::Broken(why.clone()),
            other => panic!("{other:?}"),
        }
    }

    fn node(&self) -> Answer {
        let file = |path: &str| match self.survey.get(&Place { root: Root::Main, path: path.to_owned() }) {
            Some(FileState::File { bytes, .. }) => NodeFile::File(bytes.clone()),
            _ => NodeFile::Missing,
        };
        let entry = |name: &str, stem: &str| NodeEntry {
            name: name.to_owned(),
            entry: find(name),
            path: format!("{stem}.crt"),
            public: file(&format!("{stem}.crt")),
            private: file(&format!("{stem}.key")),
            client: NodeFile::Missing,
            required: true,
            exported: None,
        };
        let identity = Identity { node: "cp1".to_owned(), hostname: false, address: None };
        let judged = node::judge(&identity, &[entry("ca", "pki/ca"), entry("apiserver", "pki/apiserver")], NOW);
        match judged[1].findings.as_slice() {
            [] => Answer::Valid,
            [Finding::Path(CaId::Cluster, why)] => Answer::Broken(why.clone()),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn one_file_has_one_answer() {
    let (signs, earlier) = (root(), root());
    let mut world = World::new(&signs, &earlier);
    let (first, stranger) = (below(&signs, "first"), below(&root(), "first"));
    let second = below(&first, "second");
    let (of_first, of_second) = (first.certificate().clone(), second.certificate().clone());
    let old = |wanted: Blueprint| Blueprint {
        not_before: NOW - Duration::days(9),
        not_after: NOW - Duration::SECOND,
        ..wanted
    };
    let young = |wanted: Blueprint| Blueprint { not_before: NOW + Duration::SECOND, ..wanted };
    let expired = instead(&first, &signs, &old(authority("first")));
    let not_yet = instead(&first, &signs, &young(authority("first")));
    let no_authority = instead(&first, &signs, &Blueprint { role: Role::EndEntity, ..authority("first") });
    let key_usage = KeyUsage::DIGITAL_SIGNATURE;
    let no_cert_sign = instead(&first, &signs, &Blueprint { key_usage, ..authority("first") });
    let role = Role::Authority { path_len: Some(0) };
    let short = instead(&first, &signs, &Blueprint { role, ..authority("first") });
    let permitted = vec![Subtree::Dns("elsewhere.example".to_owned())];
    let narrow = instead(&first, &signs, &Blueprint { permitted, ..authority("first") });
    let (roots, strange) = (signs.certificate().clone(), stranger.certificate().clone());

    type Expects = fn(&Answer) -> bool;
    let valid: Expects = |answer| *answer == Answer::Valid;
    let foreign: Expects = |answer| breaks(answer, Part::Leaf, |why| matches!(why, Violation::Signature(_)));
    let cases: [(&str, &Issuer, Vec<&Certificate>, Expects); 17] = [
        ("directly", &signs, vec![], valid),
        ("through an intermediate", &first, vec![&of_first], valid),
        ("through two", &second, vec![&of_second, &of_first], valid),
        ("in the wrong order", &second, vec![&of_first, &of_second], valid),
        ("with the root", &first, vec![&of_first, &roots], valid),
        ("surplus, and expired", &signs, vec![&expired], valid),
        ("surplus in between", &first, vec![&strange, &of_second, &expired, &of_first, &strange], valid),
        ("an expired intermediate", &first, vec![&expired], |answer| {
            let not_after = NOW - Duration::SECOND;
            breaks(answer, Part::Intermediate, |why| *why == Violation::Expired { not_after })
        }),
        ("one of two has expired", &second, vec![&of_second, &expired], |answer| {
            breaks(answer, Part::Intermediate, |why| matches!(why, Violation::Expired { .. }))
        }),
        ("an intermediate of tomorrow", &first, vec![&not_yet], |answer| {
            let not_before = NOW + Duration::SECOND;
            breaks(answer, Part::Intermediate, |why| *why == Violation::NotYetValid { not_before })
        }),
        ("CA:FALSE", &first, vec![&no_authority], |answer| {
            breaks(answer, Part::Intermediate, |why| *why == Violation::NotAuthority)
        }),
        ("without keyCertSign", &first, vec![&no_cert_sign], |answer| {
            breaks(answer, Part::Intermediate, |why| *why == Violation::NoKeyCertSign)
        }),
        ("one too many", &second, vec![&of_second, &short], |answer| {
            breaks(answer, Part::Intermediate, |why| *why == Violation::PathLength)
        }),
        ("a name that is not permitted", &first, vec![&narrow], |answer| {
            breaks(answer, Part::Leaf, |why| matches!(why, Violation::Forbidden(_)))
        }),
        ("by an earlier authority", &earlier, vec![], |answer| *answer == Answer::Earlier),
        ("by another of the same name", &stranger, vec![&of_first], foreign),
        // The intermediate is genuine, but did not sign the leaf: its expiry is no reason to renew such a leaf.
        ("by another of the same name, behind an expired one", &stranger, vec![&expired], foreign),
    ];
    for (what, issuer, rest, expects) in cases {
        let key = key();
        let leaf = issue(&world.blueprint, &key.spki_der(), issuer).unwrap().certificate;
        let text: String = std::iter::once(&leaf).chain(rest.iter().copied()).map(Certificate::to_pem).collect();
        world.put("pki/apiserver.crt", &text);
        world.put("pki/apiserver.key", key.to_pem().as_str());
        let rest: Vec<Certificate> = rest.into_iter().cloned().collect();
        assert_eq!(parse_pem_bundle(text.as_bytes()).unwrap()[1..], rest);
        let answer = match path::judge(&leaf, &rest, &world.anchors, NOW) {
            Ok(path) if path.anchor > 0 => Answer::Earlier,
            Ok(_) => Answer::Valid,
            Err(why) => Answer::Broken(why),
        };
        assert!(expects(&answer), "{what}: {answer:?}");
        assert_eq!(world.renew(&answer), answer, "renew, {what}");
        // What an earlier authority signed works, but this one would not sign it.
        let (trusted, signed) = match path::judge(&leaf, &rest, &world.anchors[..1], NOW) {
            Err(why) if answer == Answer::Earlier => (Answer::Valid, Answer::Broken(why)),
            _ => (answer.clone(), answer),
        };
        assert_eq!(world.node(), trusted, "export --verify, {what}");
        assert_eq!(world.init(), signed, "init, {what}");
        assert_eq!(world.import(&leaf, &rest), signed, "import, {what}");
    }
}

/// Of an entry itself `init` judges the dates, to the second.
#[test]
fn init_names_a_leaf_outside_its_dates() {
    let signs = root();
    let mut world = World::new(&signs, &root());
    let second = Duration::SECOND;
    for (not_before, not_after, difference) in [
        (NOW, NOW, None),
        (NOW - second, NOW - second, Some(Difference::Expired(NOW - second))),
        (NOW + second, NOW + second, Some(Difference::NotYetValid(NOW + second))),
    ] {
        let key = key();
        let blueprint = Blueprint { not_before, not_after, ..world.blueprint.clone() };
        let leaf = issue(&blueprint, &key.spki_der(), &signs).unwrap();
        world.put("pki/apiserver.crt", &leaf.pem);
        world.put("pki/apiserver.key", key.to_pem().as_str());
        let found = match world.decided() {
            decision::Decision::Keep => vec![],
            decision::Decision::Conflict(differences, None) => differences,
            other => panic!("{other:?}"),
        };
        assert_eq!(found, Vec::from_iter(difference));
    }
}

fn breaks(answer: &Answer, wanted: Part, expects: impl Fn(&Violation) -> bool) -> bool {
    matches!(answer, Answer::Broken(PathError::Invalid { part, violation, .. }) if *part == wanted && expects(violation))
}
