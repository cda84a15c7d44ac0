//! Whether an archive may replace what lies on its node: it is of the same cluster, and not older. Pure: the messages are in
//! `error/unpack.rs`.

use time::OffsetDateTime;
use zeroize::Zeroizing;

use crate::catalog::paths::KUBELET_CONF;
use crate::catalog::{self, CaId};
use crate::kubeconfig::{self, Credentials, KubeconfigError};
use crate::profile::Profile;
use crate::revocation::Number;
use crate::x509::{Certificate, Crl};

/// An entry that the archive changes: its certificates as they lie there, and as the archive has them.
#[derive(Debug, Clone, Copy)]
pub struct Change<'a> {
    pub entry: &'a str,
    pub held: &'a [Certificate],
    pub given: &'a [Certificate],
    /// An authority: every certificate of its file counts, and not the first alone.
    pub bundle: bool,
}

/// In what respect an archive is older than what lies there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Older {
    /// Of another archive of the same safe host.
    Revision {
        held: u64,
        given: u64,
    },
    /// The notBefore of the newest certificate.
    Certificate {
        entry: String,
        held: OffsetDateTime,
        given: OffsetDateTime,
    },
    List {
        authority: CaId,
        held: Option<Number>,
        given: Option<Number>,
    },
}

/// The entry lies there with a certificate that is newer than the archive's, and is not in it.
pub fn older_certificate(change: &Change<'_>) -> Option<Older> {
    let most = if change.bundle { usize::MAX } else { 1 };
    let given = change.given.iter().take(most);
    let held = change.held.iter().take(most);
    let is_new = |one: &&Certificate| !change.given.iter().take(most).any(|other| other.der == one.der);
    let newest = given.map(|one| one.not_before).max()?;
    let held = held.filter(is_new).map(|one| one.not_before).max()?;
    (held > newest).then(|| Older::Certificate { entry: change.entry.to_owned(), held, given: newest })
}

/// A list lies there that is of the same authority, and not older: readers that have seen it refuse a lower number, and what it
/// revokes must stay revoked. `held` and `given` are other lists.
pub fn older_list(authority: CaId, held: &Crl, given: &Crl) -> Option<Older> {
    let same = held.issuer_der == given.issuer_der && held.authority_key_id == given.authority_key_id;
    let (before, after) = ((held.edition(), held.this_update), (given.edition(), given.this_update));
    let goes_on = if before.0 == after.0 { before.0.is_none() && after.1 > before.1 } else { after.0 > before.0 };
    (same && !goes_on).then_some(Older::List { authority, held: before.0, given: after.0 })
}

/// An authority lies there of which the archive has no certificate, nor one of the same name and key: it is another cluster's, or was
/// made anew.
pub fn is_unrelated(held: &[Certificate], given: &[Certificate]) -> bool {
    let is_related = |one: &Certificate, other: &Certificate| one.der == other.der || one.is_same_authority(other);
    let shared = held.iter().any(|one| given.iter().any(|other| is_related(one, other)));
    !held.is_empty() && !given.is_empty() && !shared
}

/// kubelet.conf where the kubelet rotates its own certificate, which the file there only names: that one stays, and trusts what
/// the archive's trusts. `None`: it is to be replaced as it is.
pub fn rotated_kubelet_conf(held: &[u8], given: &[u8]) -> Result<Option<Zeroizing<Vec<u8>>>, KubeconfigError> {
    let given = kubeconfig::read(given)?;
    let Ok(read) = kubeconfig::read(held) else { return Ok(None) };
    let names_files = matches!(read.credentials, Credentials::Files { .. });
    if !names_files || read.server != given.server || read.user != given.user {
        return Ok(None);
    }
    if read.authority == given.authority {
        return Ok(Some(Zeroizing::new(held.to_vec())));
    }
    let authority = String::from_utf8_lossy(&given.authority);
    Ok(kubeconfig::replace_cluster(held, Some(&authority), None).ok())
}

/// A kubeconfig that stays, with what the archive's trusts; `None`: it trusts that already, or cannot be edited.
pub fn kept_kubeconfig(held: &[u8], given: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let (there, given) = (kubeconfig::read(held).ok()?, kubeconfig::read(given).ok()?);
    let other = there.authority != given.authority;
    let authority = String::from_utf8_lossy(&given.authority);
    other.then(|| kubeconfig::replace_cluster(held, Some(&authority), None).ok()).flatten()
}

/// Whether a component runs on a node, as far as the profile knows; `pods` and `people` are told of the control plane's files.
pub fn runs(profile: &Profile, node: &str, component: &str) -> bool {
    let Some(node) = profile.node(node) else { return true };
    let holds =
        |name: &str| catalog::find(name).is_some_and(|entry| profile.includes(entry) && profile.holds(node, entry));
    match component {
        "etcd" => holds("etcd-server"),
        "kubelet" => holds(KUBELET_CONF),
        "kube-apiserver" | "kube-controller-manager" | "kube-scheduler" | "pods" => holds("apiserver"),
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::x509::parse_pem_bundle;
    use time::Duration;

    fn certificate() -> Certificate {
        let pem = include_bytes!("../../fixtures/kubeadm/v1.36-default-rsa2048/etc-kubernetes/pki/ca.crt");
        parse_pem_bundle(pem).unwrap().remove(0)
    }

    /// Another certificate that begins so many days later.
    fn later(days: i64) -> Certificate {
        let one = certificate();
        let der = [one.der.as_slice(), &days.to_be_bytes()].concat();
        Certificate { not_before: one.not_before + Duration::days(days), der, ..one }
    }

    #[test]
    fn what_lies_there_may_be_newer() {
        let (a, b, c) = (later(1), later(2), later(3));
        for (held, given, bundle, is_older) in [
            (vec![], vec![&a], false, false),
            (vec![&a], vec![], false, false),
            (vec![&a], vec![&a], false, false),
            (vec![&a], vec![&b], false, false),
            (vec![&b], vec![&a], false, true),
            // Only the first is the leaf.
            (vec![&a, &c], vec![&b], false, false),
            (vec![&a, &c], vec![&b], true, true),
            // A rotation that begins, goes on and ends; and one that an old archive would undo.
            (vec![&a], vec![&b, &a], true, false),
            (vec![&a, &b], vec![&b, &a], true, false),
            (vec![&b, &a], vec![&b], true, false),
            (vec![&b, &a], vec![&a], true, true),
            (vec![&b], vec![&b, &a], true, false),
        ] {
            let own = |all: Vec<&Certificate>| all.into_iter().cloned().collect::<Vec<_>>();
            let (held, given) = (own(held), own(given));
            let change = Change { entry: "x", held: &held, given: &given, bundle };
            assert_eq!(older_certificate(&change).is_some(), is_older, "{change:?}");
        }
    }

    #[test]
    fn a_node_runs_what_its_roles_are() {
        let text = "apiVersion: kpki/v1\nkind: ClusterProfile\ncontrolPlaneEndpoint: lb.example.com\nnodes:\n\
            - {name: cp, addresses: [10.0.0.1]}\n- {name: w, roles: [worker]}\n- {name: lb, roles: [load-balancer]}\n";
        let source = crate::profile::Source { name: "p", bytes: text.as_bytes() };
        let profile = crate::profile::load(source, &crate::profile::Overrides::default()).unwrap().profile;
        for (component, on) in [
            ("etcd", [true, false, false]),
            ("kube-apiserver", [true, false, false]),
            ("pods", [true, false, false]),
            ("kubelet", [true, true, false]),
            ("people", [true; 3]),
        ] {
            assert_eq!(["cp", "w", "lb"].map(|node| runs(&profile, node, component)), on, "{component}");
        }
        assert!(runs(&profile, "another", "etcd"));
    }

    #[test]
    fn authorities_are_related_by_one_certificate() {
        let other = |days| Certificate { spki_der: vec![0x30, 1, u8::try_from(days).unwrap()], ..later(days) };
        let (a, b, c) = (other(1), other(2), other(3));
        let one = std::slice::from_ref(&a);
        // Renewed with its key, or of another name.
        let renewed = Certificate { der: vec![0x30, 0], ..a.clone() };
        let renamed = Certificate { subject_der: vec![0x30, 0], ..renewed.clone() };
        assert!(!is_unrelated(one, &[renewed]) && is_unrelated(one, &[renamed]));
        assert!(!is_unrelated(&[], one) && !is_unrelated(one, &[]));
        assert!(!is_unrelated(&[a.clone(), b.clone()], &[b.clone(), c.clone()]));
        assert!(is_unrelated(&[a, b], &[c]));
    }

    #[test]
    fn a_list_goes_on_by_its_number() {
        let crl = |number: Option<u64>, minutes: i64| Crl {
            version: 2,
            signature_algorithm: certificate().signature_algorithm,
            issuer: certificate().subject,
            issuer_der: vec![1],
            this_update: certificate().not_before + Duration::minutes(minutes),
            next_update: None,
            entries: 0,
            entries_at: 0..0,
            number: number.map(|number| [&[0], number.to_be_bytes().as_slice()].concat()),
            delta: false,
            base_number: None,
            scope: None,
            distribution: None,
            authority_key_id: None,
            extensions: Vec::new(),
            unknown_critical: Vec::new(),
        };
        for (held, given, is_older) in [
            (crl(Some(1), 0), crl(Some(2), 0), false),
            (crl(Some(2), 0), crl(Some(1), 9), true),
            // Two that were issued apart.
            (crl(Some(2), 0), crl(Some(2), 9), true),
            (crl(None, 0), crl(Some(1), 0), false),
            (crl(Some(1), 0), crl(None, 9), true),
            (crl(None, 0), crl(None, 1), false),
            (crl(None, 1), crl(None, 0), true),
            (Crl { issuer_der: vec![2], ..crl(Some(9), 9) }, crl(Some(1), 0), false),
        ] {
            assert_eq!(older_list(CaId::Etcd, &held, &given).is_some(), is_older, "{held:?} {given:?}");
        }
    }

    #[test]
    fn a_certificate_that_the_kubelet_rotates_stays_its_own() {
        let conf = |credential: &str, server: &str, data: &str| {
            format!(
                "apiVersion: v1\nkind: Config\nclusters:\n- name: k\n  cluster:\n    certificate-authority-data: {data}\n    \
                 server: {server}\ncontexts:\n- name: c\n  context: {{cluster: k, user: u}}\ncurrent-context: c\nusers:\n\
                 - name: u\n  user:\n    client-certificate{credential}\n    client-key{credential}\n"
            )
        };
        let pem = |text: &str| crate::encoding::base64::encode(text.as_bytes()).to_string();
        let (old, new) = (pem("old\n"), pem(&certificate().to_pem()));
        let files = |server: &str, data: &str| conf(": /var/lib/kubelet/pki/kubelet-client-current.pem", server, data);
        let given = conf(&format!("-data: {old}"), "https://a", &new);
        let kept = |held: &str| rotated_kubelet_conf(held.as_bytes(), given.as_bytes()).unwrap();
        assert_eq!(kept(&files("https://a", &new)).as_deref(), Some(&files("https://a", &new).into_bytes()));
        assert_eq!(kept(&files("https://a", &old)).as_deref(), Some(&files("https://a", &new).into_bytes()));
        assert_eq!(kept(&files("https://b", &new)), None);
        assert_eq!(kept(&given), None);
        assert_eq!(kept("no kubeconfig"), None);
        assert!(rotated_kubelet_conf(given.as_bytes(), b"x").is_err());
    }
}
