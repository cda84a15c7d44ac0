//! Requests where there is no certificate, and requests of authorities.

use super::*;
use crate::plan::renew::{CsrDecision, ask, ask_authority};

impl World {
    fn ask(&self, name: &str) -> CsrDecision {
        let credentials = self.credentials();
        let credential = credentials.iter().find(|one| one.id.name == name).unwrap();
        let rules = Rules {
            profile: self.profile.as_ref(),
            now: self.now,
            due: None,
            named: self.named,
            prune_sans: false,
            reuse_key: false,
        };
        ask(credential, &credentials, &authorities(&self.survey, &directories()), &self.survey, &rules)
    }
}

#[test]
fn a_missing_certificate_is_requested_from_the_profile_or_not_at_all() {
    // (profile, named, existing files, asked, outcome)
    type Case = (bool, bool, &'static [&'static str], &'static str, &'static str);
    let cases: &[Case] = &[
        (true, false, &[], "apiserver", "request"),
        (true, false, &["admin.conf"], "apiserver", "request"),
        (true, false, &[], "super-admin.conf", "request"),
        (true, false, &["pki/apiserver.crt"], "super-admin.conf", "request"),
        (true, false, &["admin.conf"], "super-admin.conf", "not replenished"),
        (true, true, &["admin.conf"], "super-admin.conf", "request"),
        (true, false, &["admin.conf", "super-admin.conf"], "super-admin.conf", "request"),
        (false, false, &[], "apiserver", "absent"),
        (false, true, &[], "apiserver", "unknown"),
        (false, false, &["pki/apiserver.key"], "apiserver", "unknown"),
        (false, false, &["admin.conf"], "admin.conf", "unreadable"),
    ];
    for (profile, named, files, asked, wanted) in cases {
        let mut world = if *profile { World::new().profile("") } else { World::new() };
        world.named = *named;
        files.iter().for_each(|path| world.put(path, "{"));
        let found = match world.ask(asked) {
            CsrDecision::CsrTemplate(template) => {
                assert_eq!(template.names.added, template.blueprint.sans);
                "request"
            }
            CsrDecision::Skipped(Skipped::NotReplenished) => "not replenished",
            CsrDecision::Skipped(Skipped::Unknown) => "unknown",
            CsrDecision::Skipped(Skipped::Unreadable(_)) => "unreadable",
            CsrDecision::Skipped(other) => panic!("{other:?}"),
            CsrDecision::Absent => "absent",
        };
        assert_eq!(found, *wanted, "{profile} {named} {files:?} {asked}");
    }
}

#[test]
fn an_authority_asks_for_the_lifetime_it_has() {
    let world = World::new();
    let place = Place { root: Root::Main, path: "pki/ca.crt".to_owned() };
    let template = ask_authority(CaId::Cluster, &place, &world.survey, None, NOW).unwrap();
    let ca = world.issuer.certificate();
    assert_eq!(template.lifetime, ca.not_after - ca.not_before);
    assert_eq!(template.blueprint.subject, ca.subject);
    assert!(matches!(ask_authority(CaId::Cluster, &place, &Survey::new(), None, NOW), Err(Skipped::Unknown)));
}
