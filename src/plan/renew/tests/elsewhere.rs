//! Keys and certificates that are not in the tree: authorities that sign elsewhere or whose key does not open, external
//! certificates, and what a kubelet rotates.

use super::*;

const EXTERNAL: &str =
    "extraCertificates: [{name: lb, authority: external, usages: [server], certSANs: [lb.example.com]}]";

fn used(leaf: &Certificate) -> Elsewhere {
    Elsewhere::Certificate(Box::new(Used { leaf: leaf.clone(), chain: Vec::new(), key: Some(true) }))
}

/// What is due and cannot be signed here is skipped with the reason, and with whether it is still good.
#[test]
fn what_is_due_and_cannot_be_signed_here_says_why() {
    let fault = || SignerFault::new(CaError::EmptyBundle, None);
    let (external, window) = (Skipped::External(Outside::Key(CaId::Cluster)), Skipped::ExternalInWindow(CaId::Cluster));
    let closed = Skipped::Closed(CaId::Cluster, fault());
    let end = MADE + YEAR;
    for (lines, now, removed, left, of_closed) in [
        (None, NOW, None, None, None),
        (None, end, None, Some(&window), Some(&closed)),
        (None, end + Duration::SECOND, None, Some(&external), Some(&closed)),
        (None, end, Some("pki/apiserver.key"), Some(&external), Some(&closed)),
        (Some(""), NOW, Some("pki/apiserver.crt"), Some(&external), Some(&closed)),
    ] {
        let mut world = World::new().due().apiserver();
        if let Some(lines) = lines {
            world = world.profile(lines);
        }
        world.now = now;
        removed.into_iter().for_each(|path| world.remove(path));
        world.remove("pki/ca.key");
        let credential = world.credentials().into_iter().find(|one| one.id.name == "apiserver").unwrap();
        let mut authorities = authorities(&world.survey, &directories(), &PlainKeys);
        for expected in [left, of_closed] {
            match (world.decide_with(&credential, &authorities), expected) {
                (Ok(Decision::Keep(_)), None) => {}
                (Ok(Decision::Skipped(found, _)), Some(expected)) => {
                    assert_eq!(&found, expected, "{lines:?} {now} {removed:?}");
                    assert_eq!(found.fault().is_some(), *expected == closed);
                }
                other => panic!("{lines:?} {now} {removed:?}: {other:?}"),
            }
            let bundle = authorities[&CaId::Cluster].bundle().to_vec();
            authorities.insert(CaId::Cluster, Authority::Closed(bundle, fault()));
        }
    }
}

/// What no authority of the tree signs is kept while it is well and only what is due is asked for.
#[test]
fn an_external_certificate_is_judged_and_never_renewed() {
    let (from, end) = (MADE - BACK_DATE, MADE + YEAR);
    // A share of what it has itself: how long a new one lives is not known.
    let third = Duration::seconds((end - from).whole_seconds() * 33 / 100);
    for (due, now, names, has_key, kept) in [
        (true, NOW, "lb.example.com", true, true),
        (true, end - third - Duration::SECOND, "lb.example.com", true, true),
        (true, end - third, "lb.example.com", true, false),
        (true, NOW, "other.example.com", true, false),
        (true, NOW, "lb.example.com", false, false),
        (false, NOW, "lb.example.com", true, false),
        (false, NOW, "lb.example.com", false, false),
    ] {
        let mut world = World::new().profile(EXTERNAL);
        world.pair("pki/lb", &server("lb", &[names]));
        world.due = due.then_some(Threshold::PercentLeft(33));
        world.now = now;
        if !has_key {
            world.remove("pki/lb.key");
        }
        match world.decide("lb") {
            Ok(Decision::Keep(_)) if kept => {}
            Ok(Decision::Skipped(Skipped::External(Outside::Authority), Some(_))) if !kept => {}
            other => panic!("{due} {now} {names} {has_key}: {other:?}"),
        }
    }
}

/// A key of a kind that kpki does not read may be in order; that there is none is known of every kind.
#[test]
fn a_key_of_a_kind_that_is_not_read_is_no_reason() {
    // The object identifier of P-256, and that of P-192 in its place: nobody judges the signature.
    let (curve, other) = ([0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7], [0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 1]);
    let unread = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n";
    for (of_the_key, private, kept) in [
        (curve, Some(unread), false),
        (other, Some(unread), true),
        (other, None, false),
        (other, Some(key().to_pem().as_str()), false),
    ] {
        let mut world = World::new().due().profile(EXTERNAL);
        let signed = issue(&server("lb", &["lb.example.com"]), &key().spki_der(), &world.issuer).unwrap();
        let mut der = signed.certificate.der;
        let at = der.windows(curve.len()).position(|bytes| bytes == curve).unwrap();
        der[at..at + curve.len()].copy_from_slice(&of_the_key);
        world.put("pki/lb.crt", Certificate::parse(&der).unwrap().to_pem());
        private.into_iter().for_each(|text| world.put("pki/lb.key", text));
        let decision = world.decide("lb");
        assert_eq!(matches!(decision, Ok(Decision::Keep(_))), kept, "{of_the_key:?} {private:?}: {decision:?}");
    }
}

/// Where the kubelet has its own certificate, what kubelet.conf embeds is of no use, unless that has expired.
#[test]
fn what_the_kubelet_does_not_use_is_not_renewed() {
    let mut world = World::new();
    world.kubeconfig("kubelet.conf", &world.issuer.bundle_pem());
    let own = world.credentials().into_iter().find(|one| one.id.name == "kubelet.conf").unwrap();
    let leaf = certificate_of(&own, &world.survey).unwrap();
    let with = |leaf: &Certificate, key| {
        let used = Used { leaf: leaf.clone(), chain: Vec::new(), key };
        Credential { elsewhere: Some(Elsewhere::Certificate(Box::new(used))), ..own.clone() }
    };
    let Ok(Decision::Skipped(left, Some(used))) = world.decide_one(&with(&leaf, Some(true))) else { panic!() };
    assert_eq!((left.is_gap(), left, used.der.clone()), (false, Skipped::KubeletUsesItsOwn, leaf.der.clone()));
    // Where the authority is replaced, what is embedded is renewed, whatever the kubelet uses.
    for kubelets in [Kubelets::Embed, Kubelets::Wait] {
        world.kubelets = Some(kubelets);
        assert!(matches!(world.decide_one(&with(&leaf, Some(true))), Ok(Decision::Renew(_))), "{kubelets:?}");
    }
    world.kubelets = None;
    // What is wrong with it is no silence, whatever is embedded; one that has expired is not used.
    let another = World::new();
    let foreign = issue(&server("u", &[]), &key().spki_der(), &another.issuer).unwrap().certificate;
    let short = Blueprint { not_after: NOW - Duration::DAY, ..server("u", &[]) };
    let expired = issue(&short, &key().spki_der(), &world.issuer).unwrap().certificate;
    let unreadable = Credential { elsewhere: Some(Elsewhere::Unreadable), ..own.clone() };
    world = world.due();
    for (credential, why) in [
        (with(&foreign, Some(true)), Unwell::WrongIssuer(foreign.issuer.clone())),
        (with(&leaf, Some(false)), Unwell::Key),
        (with(&expired, Some(true)), Unwell::Expired(expired.not_after)),
        (unreadable, Unwell::Unreadable),
    ] {
        let Ok(Decision::Skipped(left, _)) = world.decide_one(&credential) else { panic!("{why:?}") };
        assert_eq!((left.is_gap(), left), (true, Skipped::KubeletsNotWell(why)));
    }
    // One that was named is judged by the window, too: only the kubelet renews it.
    world.now = leaf.not_after - Duration::days(10);
    let own = with(&leaf, Some(true));
    assert!(matches!(world.decide_one(&own), Ok(Decision::Skipped(Skipped::KubeletUsesItsOwn, _))));
    world.named = true;
    let left = Skipped::KubeletsNotWell(Unwell::Due(Duration::days(10)));
    assert!(matches!(world.decide_one(&own), Ok(Decision::Skipped(found, _)) if found == left));
    world.due = None;
    world.now = leaf.not_after + Duration::SECOND;
    assert!(matches!(world.decide_one(&own), Ok(Decision::Renew(_))));
}

/// While its authority is replaced, a kubelet.conf that names a file gets a certificate instead with `embed`: as the profile has
/// it, or as the one that the kubelet uses.
#[test]
fn a_kubelets_file_is_replaced_by_an_embedded_certificate() {
    let world = World::new();
    let kubelets = Blueprint {
        subject: Name::of("system:node:old", &["system:nodes"]),
        extended_key_usages: vec![ExtendedKeyUsage::ClientAuth],
        ..server("", &[])
    };
    let leaf = issue(&kubelets, &key().spki_der(), &world.issuer).unwrap().certificate;
    let (rotates, named) =
        (Skipped::KubeletRotates("/f.pem".to_owned()), Skipped::CredentialFiles("/f.pem".to_owned()));
    let missing = Skipped::NotWellElsewhere("/f.pem".to_owned(), Unwell::Missing);
    let days = "certificateValidityPeriod: 90d";
    for (lines, name, kubelets, elsewhere, expected) in [
        (None, "kubelet.conf", Some(Kubelets::Embed), used(&leaf), Ok(("system:node:old", YEAR))),
        (Some(days), "kubelet.conf", Some(Kubelets::Embed), used(&leaf), Ok(("system:node:cp1", Duration::days(90)))),
        (Some(""), "kubelet.conf", Some(Kubelets::Embed), Elsewhere::Missing, Ok(("system:node:cp1", YEAR))),
        (None, "kubelet.conf", Some(Kubelets::Embed), Elsewhere::Missing, Err(&missing)),
        (Some(days), "kubelet.conf", Some(Kubelets::Wait), used(&leaf), Err(&rotates)),
        (Some(days), "kubelet.conf", None, used(&leaf), Err(&rotates)),
        (Some(days), "admin.conf", Some(Kubelets::Embed), used(&leaf), Err(&named)),
    ] {
        let mut tree = World::new();
        if let Some(lines) = lines {
            tree = tree.profile(lines);
        }
        tree.put("pki/ca.crt", world.issuer.bundle_pem());
        tree.put("pki/ca.key", world.issuer.key().to_pem().as_str());
        tree.put(name, NAMING);
        tree.kubelets = kubelets;
        let own = tree.credentials().into_iter().find(|one| one.id.name == name).unwrap();
        let own = Credential { elsewhere: Some(elsewhere), ..own };
        match (tree.decide_one(&own), expected) {
            (Ok(Decision::Renew(renewal)), Ok((subject, lifetime))) => {
                assert_eq!(renewal.blueprint.subject, Name::of(subject, &["system:nodes"]));
                let dates = (renewal.blueprint.not_before, renewal.blueprint.not_after);
                assert_eq!(dates, (NOW - BACK_DATE, NOW + lifetime), "{lines:?}");
                assert!(matches!(&renewal.kubeconfig, Some(Kubeconfig::New(access)) if access.user == "u"));
                assert_eq!((renewal.reasons, renewal.algorithm), (vec![Reason::Requested], Algorithm::EcdsaP256));
            }
            (Ok(Decision::Skipped(found, None)), Err(expected)) => assert_eq!(&found, expected, "{lines:?} {name}"),
            (other, _) => panic!("{lines:?} {name} {kubelets:?}: {other:?}"),
        }
    }
}

#[test]
fn what_the_kubelet_rotates_counts_until_it_has_expired() {
    let world = World::new().apiserver();
    let of = |name: &str| world.credentials().into_iter().find(|one| one.id.name == name).unwrap();
    let leaf = certificate_of(&of("apiserver"), &world.survey).unwrap();
    let end = leaf.not_after;
    for (name, elsewhere, now, counts) in [
        ("kubelet.conf", Some(used(&leaf)), NOW, true),
        ("kubelet.conf", Some(used(&leaf)), end, true),
        ("kubelet.conf", Some(used(&leaf)), end + Duration::SECOND, false),
        ("kubelet.conf", Some(Elsewhere::Missing), NOW, false),
        ("kubelet.conf", None, NOW, false),
        ("admin.conf", Some(used(&leaf)), NOW, false),
    ] {
        let credential = Credential { elsewhere, ..of(name) };
        assert_eq!(credential.rotated(now), counts.then_some(&leaf), "{name} {now}");
    }
}
