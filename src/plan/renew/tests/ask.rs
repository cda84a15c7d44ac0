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
            kubelets: None,
            former_servers: &[],
        };
        ask(credential, &credentials, &authorities(&self.survey, &directories(), &PlainKeys), &self.survey, &rules)
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
                assert_eq!(template.names.added.is_empty(), asked.ends_with(".conf"));
                // A kubeconfig is made with what it says beside its certificate.
                assert_eq!(template.access.is_some(), asked.ends_with(".conf"));
                assert!(template.old.is_none());
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

/// Of what is not on disk, and what its signer has the last word on.
#[test]
fn what_an_authority_may_sign_is_asked_for_as_the_profile_has_it() {
    let place = Place { root: Root::Main, path: "pki/ca.crt".to_owned() };
    let stated = "authorities: {ca: {pathLength: 1, permittedNames: [kubernetes, cluster.local, cp1, 10.0.0.0/8]}}";
    for (lines, path_len, names) in [("", None, 0), (stated, Some(1), 4)] {
        let world = World::new().profile(lines);
        let profile = world.profile.as_ref();
        let template = ask_authority(CaId::Cluster, &place, &world.survey, profile, NOW).unwrap();
        assert_eq!(template.blueprint.role, Role::Authority { path_len }, "{lines}");
        assert_eq!(template.blueprint.permitted.len(), names, "{lines}");
        assert_eq!(template.old.as_deref(), Some(world.issuer.certificate()));
        let missing = ask_authority(CaId::Cluster, &place, &Survey::new(), profile, NOW).unwrap();
        assert_eq!((missing.old, missing.lifetime), (None, YEAR * 10), "{lines}");
        assert_eq!(missing.blueprint.not_after, NOW + YEAR * 10);
    }
}

#[test]
fn a_request_for_a_certificate_that_exists_has_its_identity() {
    let mut world = World::new().apiserver();
    let authority = world.issuer.bundle_pem().to_owned();
    world.kubeconfig("admin.conf", &authority);
    for (name, is_kubeconfig) in [("apiserver", false), ("admin.conf", true)] {
        let CsrDecision::CsrTemplate(template) = world.ask(name) else { panic!("{name}") };
        let old = template.old.unwrap();
        assert_eq!((&template.blueprint.subject, &template.blueprint.sans), (&old.subject, &old.sans));
        assert_eq!((template.lifetime, template.access.is_some()), (YEAR, is_kubeconfig), "{name}");
        assert_eq!((template.algorithm, template.blueprint.role), (Algorithm::EcdsaP256, Role::EndEntity));
    }
}
